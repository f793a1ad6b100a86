/** Errors on their way between threads: a structured clone of an Error would lose its class and its code. */
import { RelayError, type RelayErrorCode, relayErrorCodes } from '../errors'
import type { ErrorMessage } from './protocol'

/** The plain form of whatever was thrown. */
export function messageOf(error: unknown): ErrorMessage {
  if (error instanceof RelayError) return { code: error.code, message: error.message }
  return { code: undefined, message: error instanceof Error ? error.message : String(error) }
}

/** The error again: a RelayError where it was one; itself where it has not crossed threads. */
export function errorOf(error: ErrorMessage | Error): Error {
  if (error instanceof Error) return error
  const { code, message } = error
  if (!isRelayErrorCode(code)) return new Error(message)
  const made = new RelayError(code)
  made.message = message
  return made
}

function isRelayErrorCode(code: string | undefined): code is RelayErrorCode {
  return code !== undefined && Object.hasOwn(relayErrorCodes, code)
}
