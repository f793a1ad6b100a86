/** What a message hides when it is written into a log: credentials, challenges and digests (RFC 3261 §22, RFC 3329 §2.4). */
import { AUTHENTICATION_INFO, AUTHORIZATION, SECURITY_CLIENT, SECURITY_VERIFY } from '../headers/ids'

/** A header's raw value as a log may have it. */
export function logged(headerId: number, value: string): string {
  if (headerId >= AUTHORIZATION && headerId <= AUTHENTICATION_INFO) return maskAuth(value)
  if (headerId >= SECURITY_CLIENT && headerId <= SECURITY_VERIFY) return maskDigests(value)
  return value
}

/** Keeps the scheme, hides the rest. */
function maskAuth(value: string): string {
  const space = value.indexOf(' ')
  return space < 0 ? '***' : `${value.slice(0, space)} ***`
}

/** Hides what follows the name of a digest over the security list, up to the next parameter or mechanism. */
function maskDigests(value: string): string {
  return value.replace(/\bd-ver[^;,]*/gi, 'd-ver=***')
}
