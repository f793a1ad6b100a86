/**
 * Who a certificate says that its holder is: SIP domains (RFC 5922 §7.1), compared whole and without wildcards (§7.2),
 * and addresses, for peers that are named by one. Pure; whether the certificate can be trusted is decided elsewhere.
 */
import { isIP } from 'node:net'
import { canonicalAddress } from '../address'

/** The parts of a certificate that name its holder, as Node writes them. */
export interface CertificateNames {
  /** `DNS:example.com, URI:sip:example.com, IP Address:192.0.2.1`; values with special characters are JSON strings. */
  readonly subjectAltName: string | undefined
  /** The common name of the subject. */
  readonly commonName: string | undefined
}

const uriPrefix = 'URI:'
const dnsPrefix = 'DNS:'
const addressPrefix = 'IP Address:'

/** A domain name of letters, digits and hyphens; what has a wildcard in it, or is an address, is none. */
const domainName = /^(?=.{1,253}$)(?!.*\.\d+$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/**
 * The SIP domains of a certificate, lower-case: the SIP URIs without a user; when there are none the DNS names; and only
 * when there are no alternative names at all the common name (RFC 5922 §7.1).
 */
export function sipDomainsOf(names: CertificateNames): readonly string[] {
  if (names.subjectAltName === undefined || names.subjectAltName === '') {
    return domains([names.commonName ?? ''])
  }
  const values = splitAltNames(names.subjectAltName)
  const fromUris = domains(valuesOf(values, uriPrefix).map(hostOfSipUri))
  return fromUris.length > 0 ? fromUris : domains(valuesOf(values, dnsPrefix))
}

/** The DNS names of a certificate, lower-case, for choosing it by the name that a client asks for. */
export function dnsNamesOf(names: CertificateNames): readonly string[] {
  const values = splitAltNames(names.subjectAltName ?? '')
  return domains([...valuesOf(values, dnsPrefix), ...valuesOf(values, uriPrefix).map(hostOfSipUri)])
}

/**
 * True when the holder of the certificate is the one that was asked for.
 * @param name a domain, or an IP address where the address was all that was known
 */
export function isCertificateFor(names: CertificateNames, name: string): boolean {
  if (isIP(name) === 0) return sipDomainsOf(names).includes(withoutFinalDot(name).toLowerCase())
  const wanted = canonicalAddress(name)
  return valuesOf(splitAltNames(names.subjectAltName ?? ''), addressPrefix).some(
    (address) => canonicalAddress(address.toLowerCase()) === wanted,
  )
}

/** `sip:example.com`, with or without port and parameters; a URI with a user names a person and no domain. */
function hostOfSipUri(uri: string): string {
  const [, host = ''] = /^sip:([^@:;?/]+)(?::\d+)?(?:[;?].*)?$/i.exec(uri) ?? []
  return uri.includes('@') ? '' : host
}

function domains(names: readonly string[]): readonly string[] {
  const found = new Set<string>()
  for (const name of names) {
    const bare = withoutFinalDot(name)
    if (domainName.test(bare)) found.add(bare.toLowerCase())
  }
  return [...found]
}

function valuesOf(values: readonly string[], prefix: string): readonly string[] {
  return values.filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length))
}

/** Splits at commas outside of quotes: a name may hold a comma to pass for two. */
function splitAltNames(text: string): readonly string[] {
  const values: string[] = []
  for (const [, prefix = '', quoted, plain] of text.matchAll(
    /(?:^|, )([^:,"]+:)(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?=, |$)/g,
  )) {
    if (quoted === undefined) values.push(prefix + plain)
    else values.push(prefix + unquoted(quoted))
  }
  return values
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return ''
  }
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
