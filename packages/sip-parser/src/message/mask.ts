/**
 * What a message hides when it is written into a log: credentials, challenges and digests (RFC 3261 §22, RFC 3329 §2.4),
 * passwords and credentials in URIs (RFC 3261 §19.1.1, §19.1.5).
 */
import { AUTHENTICATION_INFO, AUTHORIZATION, SECURITY_CLIENT, SECURITY_VERIFY } from '../headers/ids'

/** A header's raw value as a log may have it. */
export function logged(headerId: number, value: string): string {
  if (headerId === AUTHENTICATION_INFO) return '***'
  if (headerId >= AUTHORIZATION && headerId < AUTHENTICATION_INFO) return maskAuth(value)
  if (headerId >= SECURITY_CLIENT && headerId <= SECURITY_VERIFY) return maskDigests(value)
  return maskedUris(value)
}

/**
 * Any text with the passwords of the URIs in it hidden, and the credentials among their headers. What stands between two
 * colons, or a colon and the at sign, is looked at once: no text costs more than its length.
 */
export function maskedUris(text: string): string {
  if (!/[@=]/.test(text)) return text
  return text
    .replace(/((?:\bsips?:|:\/\/)[^\s:@<>"]*):[^\s:@<>"]*@/gi, '$1:***@')
    .replace(/([?&](?:proxy-)?authorization=)[^\s&<>"]*/gi, '$1***')
}

/** Keeps the scheme, hides the rest. What is not plainly a scheme is a parameter of a malformed value. */
function maskAuth(value: string): string {
  const scheme = /^([\w!%'*+.`~-]+)[ \t]/.exec(value)?.[1]
  return scheme === undefined ? '***' : `${scheme} ***`
}

/** Hides what follows the name of a digest over the security list, up to the next parameter or mechanism. */
function maskDigests(value: string): string {
  return value.replace(/\bd-ver(?:\s*=\s*"(?:[^"\\]|\\.)*"|[^;,]*)/gi, 'd-ver=***')
}
