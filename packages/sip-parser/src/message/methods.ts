/** The methods that have a specification (RFC 3261 and the RFCs beside each). Methods are case-sensitive. */
export const knownMethods: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK', // RFC 3262
  'SUBSCRIBE', // RFC 6665
  'NOTIFY', // RFC 6665
  'PUBLISH', // RFC 3903
  'INFO', // RFC 6086
  'REFER', // RFC 3515
  'MESSAGE', // RFC 3428
  'UPDATE', // RFC 3311
])

/** True for a method that some RFC defines. */
export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method)
}
