/** The canonical form of an address of record: RFC 3261 §10.3 step 5. Pure. */
import { SipUri, type Uri } from '@carillon/sip-parser'

/**
 * An address of record as the key of its bindings: `user@host`, the host in lower case, escapes undone, parameters,
 * headers, port and scheme left out, so that SIP and SIPS name the same user.
 */
export function canonicalAor(uri: Uri): string {
  if (!(uri instanceof SipUri)) return uri.toString()
  const host = uri.host.toLowerCase()
  return uri.user === undefined ? host : `${uri.user}@${host}`
}
