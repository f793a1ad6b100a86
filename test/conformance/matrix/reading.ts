/**
 * What a library says a message holds, in one neutral form, so that the same probes can be put to every library. Where a
 * library documents a representation of its own (quotes or escapes left in place), its adapter resolves it, so that no
 * library loses a mark by taste.
 */

/** A URI: the parts of a SIP URI, or the text alone for another scheme. Escapes are resolved once. */
export interface ReadUri {
  readonly scheme: string
  readonly user?: string
  /** Lower-case, IPv6 without brackets. */
  readonly host?: string
  readonly port?: number
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** What follows the scheme, for schemes other than sip and sips. */
  readonly opaque?: string
}

/** From, To or one Contact. */
export interface ReadAddress {
  readonly displayName?: string
  readonly uri: ReadUri
  readonly params: Readonly<Record<string, string>>
}

/** One Via. */
export interface ReadVia {
  readonly transport: string
  readonly host: string
  readonly port?: number
  readonly params: Readonly<Record<string, string>>
}

/** A message as a library read it. What the message has and the library could not decode is named in `unreadable`. */
export interface Reading {
  readonly method?: string
  readonly uri?: ReadUri
  readonly status?: number
  readonly reason?: string
  readonly vias: readonly ReadVia[]
  readonly from?: ReadAddress
  readonly to?: ReadAddress
  readonly contacts: readonly ReadAddress[]
  readonly callId?: string
  readonly cseq?: { readonly seq: number; readonly method: string }
  readonly maxForwards?: number
  /** Other headers as text by lower-case name, folds as one space. */
  readonly others: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly unreadable: readonly string[]
}

/** The outcome of giving one message to one library. */
export type Outcome =
  | { readonly kind: 'read'; readonly reading: Reading }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'crash'; readonly detail: string }
  | { readonly kind: 'hang' }

/** The headers besides those with a field of their own that probes ask for. */
export const OTHER_HEADERS = [
  'newfangledheader',
  'unknownheaderwithunusualvalue',
  'subject',
  "extensionheader-!.%*+_`'~",
  'c%6fntact',
  'require',
  'proxy-require',
  'content-type',
  'authorization',
  'accept',
] as const

const COMPACT: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  f: 'from',
  s: 'subject',
  t: 'to',
  v: 'via',
}

/** Lower-case long names of the headers that stand in the message, whatever they hold. */
export function namesOnTheWire(bytes: Uint8Array): ReadonlySet<string> {
  const [head = ''] = Buffer.from(bytes).toString('latin1').split('\r\n\r\n')
  const names = head
    .split(/\r\n(?![ \t])/)
    .slice(1)
    .map((line) => (line.split(':')[0] ?? '').trim().toLowerCase())
  return new Set(names.map((name) => COMPACT[name] ?? name))
}

/** The text of a quoted string or its inside: quotes off, quoted pairs resolved. Other text as it is. */
export function unquoted(text: string): string {
  const inner = /^"[\s\S]*"$/.test(text) ? text.slice(1, -1) : text
  return inner.replace(/\\([\s\S])/g, '$1')
}

/** Percent escapes resolved once; text that is no valid escape stays. */
export function unescapedOnce(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}

/** A host for comparison: lower-case, no brackets. */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
}

/** Folds as one space, no white space around. Not `trim`, which takes U+FEFF for white space. */
export function unfolded(text: string): string {
  return text.replace(/[ \t]*\r\n[ \t]+/g, ' ').replace(/^[ \t]+|[ \t]+$/g, '')
}

/** A URI of another scheme than sip and sips, as text. */
export function opaqueUri(text: string): ReadUri {
  const colon = text.indexOf(':')
  return { scheme: text.slice(0, colon).toLowerCase(), opaque: text.slice(colon + 1), params: {}, headers: {} }
}
