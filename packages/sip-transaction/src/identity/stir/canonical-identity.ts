/**
 * Who signs for whom, in the form that both sides of a signature agree on: RFC 8224 §8.1 (who is a telephone number), §8.3
 * (canonical numbers), §8.5 (canonical URIs). Pure.
 */
import { SipUri, TelUri, type Uri } from '@carillon/sip-parser'
import { passportNumberLengthMax } from './limits'

/** A caller or a callee inside a PASSporT (RFC 8225 §5.2.1): a number without `+`, or a URI. */
export type PassportIdentity = { readonly tn: string } | { readonly uri: string }

const digitsOnly = /^[0-9*#]+$/

/**
 * The identity of a URI as a PASSporT has it. A SIP URI is a number if it says so (`user=phone`), or if its user is a
 * global number with its `+`; any other is a URI without its parameters, headers and password.
 */
export function canonicalIdentity(uri: Uri): PassportIdentity {
  const number = uri instanceof TelUri ? uri.number : uri instanceof SipUri ? numberOf(uri) : undefined
  const tn = number === undefined ? undefined : canonicalNumber(number)
  if (tn !== undefined) return { tn }
  return { uri: uri instanceof SipUri ? canonicalSip(uri) : uri.toString() }
}

/** A number without visual separators and without its `+`; undefined when something else is left than digits, `*`, `#`. */
export function canonicalNumber(number: string): string | undefined {
  const bare = number.replace(/[-.() ]/g, '').replace(/^\+/, '')
  return digitsOnly.test(bare) && bare.length <= passportNumberLengthMax ? bare : undefined
}

/** Whether two identities are the same. */
export function isSameIdentity(one: PassportIdentity, other: PassportIdentity): boolean {
  if ('tn' in one) return 'tn' in other && one.tn === other.tn
  return 'uri' in other && one.uri === other.uri
}

/** The user of a SIP URI that is a number, without the parameters of that number. A local one needs no phone-context here. */
function numberOf({ user = '', params }: SipUri): string | undefined {
  const isPhone = params.get('user')?.toLowerCase() === 'phone'
  return isPhone || user.startsWith('+') ? user.split(';', 1)[0] : undefined
}

/** SIPS and SIP name the same identity; the default port says nothing. */
function canonicalSip(uri: SipUri): string {
  const { user, host, port } = uri
  const init = { scheme: 'sip', host: host.toLowerCase(), user, port: port === 5060 ? undefined : port } as const
  return SipUri.of(init).toString()
}
