/**
 * The log: JSON lines by pino, on standard error unless a stream is handed in. Secrets are taken out by name, and a
 * slow reader of the log never holds the server up: what it does not take in time is dropped.
 */
import type { Logger } from '@carillon/sip-transaction'
import pino from 'pino'
import { LOG_BUFFER_BYTES_MAX, LOG_CLOSE_TIMEOUT_MS } from '../limits'

/** The levels, least severe first. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** A logger that can be closed before the process ends. */
export interface ServerLogger extends Logger {
  /** Writes out what is buffered, unless nobody takes it. Nothing may be logged afterwards. */
  close(): Promise<void>
}

/** Where log lines go; anything with a `write` that takes one line. */
export interface LogStream {
  write(line: string): void
}

/** Names of fields whose values never reach the log, at the top and one level down. */
const SECRET_FIELDS = ['password', 'ha1', 'secret', 'nonce', 'cnonce', 'response', 'authorization', 'crypto', 'key']

/** Makes the logger. It writes to a stream, or to an open file without waiting for it: standard error by default. */
export function createLogger(level: LogLevel, target: LogStream | number = 2): ServerLogger {
  const destination =
    typeof target === 'number'
      ? pino.destination({ fd: target, sync: false, maxLength: LOG_BUFFER_BYTES_MAX })
      : undefined
  // Its own last resort at the end of the process, which goes on for ever where the disk is full: `close` does better.
  if (destination !== undefined) destination.flushSync = () => {}
  // A full disk or a reader that has gone loses log lines, never calls.
  let isBroken = false
  destination?.on('error', () => {
    isBroken = true
  })
  destination?.on('write', () => {
    isBroken = false
  })
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '******' },
  }
  const log = pino(options, destination ?? (target as LogStream))
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    async close() {
      if (destination !== undefined && !isBroken) await ended(destination)
    },
  }
}

/** Ends the stream; resolves when all is written, or cannot be. */
function ended(destination: ReturnType<typeof pino.destination>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOG_CLOSE_TIMEOUT_MS)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    destination.once('close', done)
    destination.once('error', done)
    destination.end()
  })
}
