/** Uniform resource names (RFC 8141): what SIP carries as +sip.instance (RFC 5626 §4.1) and as services (RFC 5031). */

/** The parts of a URN that say what it names. */
export interface Urn {
  /** Namespace identifier, in lower case. */
  readonly nid: string
  /** Namespace specific string as written, without the components that RFC 8141 §2.3 lets follow. */
  readonly nss: string
}

/** Namespaces whose strings are equal whatever the case: RFC 9562 §4, RFC 5031 §3. */
const caselessNamespaces = new Set(['uuid', 'service'])

/** Takes a URN apart (RFC 8141 §2); undefined when the text is none. */
export function readUrn(text: string): Urn | undefined {
  const match = /^urn:([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):([^?#]+)/i.exec(text)
  const [, nid = '', nss = ''] = match ?? []
  return match === null ? undefined : { nid: nid.toLowerCase(), nss }
}

/** The text that URNs share which are equal by RFC 8141 §3: case of scheme, namespace and escapes does not count. */
export function canonicalUrn({ nid, nss }: Urn): string {
  const name = nss.replace(/%[0-9a-f]{2}/gi, (digits) => digits.toUpperCase())
  return `urn:${nid}:${caselessNamespaces.has(nid) ? name.toLowerCase() : name}`
}
