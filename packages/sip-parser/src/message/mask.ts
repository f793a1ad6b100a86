/** What a message hides when it is written into a log: credentials and challenges (RFC 3261 §22). */
import { AUTHENTICATION_INFO, AUTHORIZATION } from '../headers/ids'

/** True for headers of the Authorization family. */
export function isSecret(headerId: number): boolean {
  return headerId >= AUTHORIZATION && headerId <= AUTHENTICATION_INFO
}

/** Keeps the scheme, hides the rest. */
export function maskAuth(value: string): string {
  const space = value.indexOf(' ')
  return space < 0 ? '***' : `${value.slice(0, space)} ***`
}
