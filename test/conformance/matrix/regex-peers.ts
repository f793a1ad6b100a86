/**
 * npm `sip` and `drachtio-sip`: both keep URIs as text and have `parseUri`, both keep quotes and escapes. The calls are
 * those that their READMEs show.
 */
import {
  namesOnTheWire,
  OTHER_HEADERS,
  opaqueUri,
  plainHost,
  type ReadAddress,
  type Reading,
  type ReadUri,
  type ReadVia,
  unescapedOnce,
  unfolded,
  unquoted,
} from './reading.ts'

type Params = Record<string, string | null | undefined>
type Nullable<T> = T | null | undefined

interface TextUri {
  schema?: string
  scheme?: string
  user?: string
  host: string
  port: number
  params: Params
  headers: Params
}

interface TextAddress {
  name?: string
  uri: string
  params: Params
}

interface TextVia {
  protocol: string
  host: string
  port?: number
  params: Params
}

interface TextHeaders {
  via?: TextVia[]
  from?: TextAddress
  to?: TextAddress
  contact?: TextAddress[]
  cseq?: { seq: number; method: string }
}

/** What `require('sip')` gives, as far as it is used here. */
export interface SipModule {
  parse(data: Uint8Array): Nullable<{
    method?: string
    uri?: string
    status?: number
    reason?: string
    headers: TextHeaders & Record<string, unknown>
    content?: string
  }>
  parseUri(text: string): Nullable<TextUri>
}

/** What `require('drachtio-sip')` gives, as far as it is used here. */
export interface DrachtioModule {
  SipMessage: new (
    text: string,
  ) => {
    method?: string
    uri?: string
    status?: number
    reason?: string
    body?: string
    get(name: string): string | undefined
    getParsedHeader(name: string): unknown
  }
  parser: { parseUri(text: string): Nullable<TextUri> }
}

/** `sip.parse(buffer)`, which decodes as it parses and leaves out what it cannot; then `sip.parseUri` of each SIP URI. */
export function readWithSip(sip: SipModule, bytes: Uint8Array): Reading | undefined {
  const message = sip.parse(Buffer.from(bytes))
  if (message === null || message === undefined) return undefined
  return toReading({
    start: message,
    headers: message.headers,
    textOf: (name) => {
      const value = message.headers[name]
      return value === undefined
        ? undefined
        : utf8(Array.isArray(value) ? value.map(credentialsText).join(', ') : String(value))
    },
    body: Buffer.from(message.content ?? '', 'latin1'),
    // The library reads bytes as Latin-1 text; whoever wants the text of the message decodes it.
    decode: utf8,
    parseUri: sip.parseUri,
    wire: bytes,
  })
}

/** `new SipMessage(text)`, then `getParsedHeader` of each header that is read, then `parser.parseUri` of each SIP URI. */
export function readWithDrachtio(drachtio: DrachtioModule, bytes: Uint8Array): Reading | undefined {
  let message: InstanceType<DrachtioModule['SipMessage']>
  try {
    message = new drachtio.SipMessage(Buffer.from(bytes).toString('utf8'))
  } catch (thrown) {
    // How the constructor says that it does not understand a message; anything else has escaped it.
    if (thrown instanceof Error && thrown.message === 'failed to parse sip message') return undefined
    throw thrown
  }
  const headers: Record<string, unknown> = {}
  for (const name of ['via', 'from', 'to', 'contact', 'cseq']) {
    if (message.get(name) !== undefined) headers[name] = message.getParsedHeader(name)
  }
  return toReading({
    start: message,
    headers,
    textOf: (name) => message.get(name),
    body: Buffer.from(message.body ?? '', 'utf8'),
    decode: (text) => text,
    parseUri: drachtio.parser.parseUri,
    wire: bytes,
  })
}

interface Parsed {
  readonly start: { method?: string; uri?: string; status?: number; reason?: string }
  readonly headers: TextHeaders
  textOf(name: string): string | undefined
  readonly body: Buffer
  decode(text: string): string
  parseUri(text: string): Nullable<TextUri>
  readonly wire: Uint8Array
}

function toReading(parsed: Parsed): Reading {
  const { start, headers, textOf, decode } = parsed
  const unreadable: string[] = []
  const wire = namesOnTheWire(parsed.wire)
  const uriOf = (text: string, where: string): ReadUri => {
    if (!/^sips?:/i.test(text)) return opaqueUri(text)
    const uri = parsed.parseUri(text)
    if (uri === undefined || uri === null) {
      unreadable.push(`URI of ${where}`)
      return { scheme: 'sip', params: {}, headers: {} }
    }
    return plainUri(uri)
  }
  const addressOf = (address: TextAddress, where: string): ReadAddress => ({
    ...(address.name === undefined ? {} : { displayName: unquoted(decode(unfolded(address.name))) }),
    uri: uriOf(address.uri, where),
    params: plainParams(address.params, (text) => unquoted(decode(text))),
  })
  for (const name of ['via', 'from', 'to', 'contact', 'cseq'] as const) {
    if (wire.has(name) && headers[name] === undefined) unreadable.push(name)
  }
  const others: Record<string, string> = {}
  for (const name of OTHER_HEADERS) {
    const text = textOf(name)
    if (typeof text === 'string') others[name] = unfolded(text)
  }
  const callId = textOf('call-id')
  const hops = textOf('max-forwards')
  if (wire.has('max-forwards') && !/^\d+$/.test(hops ?? '')) unreadable.push('max-forwards')
  return {
    ...(start.method === undefined ? { status: start.status ?? 0, reason: decode(start.reason ?? '') } : {}),
    ...(start.method === undefined ? {} : { method: start.method, uri: uriOf(start.uri ?? '', 'the request line') }),
    vias: (headers.via ?? []).map(plainVia),
    ...(headers.from === undefined ? {} : { from: addressOf(headers.from, 'From') }),
    ...(headers.to === undefined ? {} : { to: addressOf(headers.to, 'To') }),
    contacts: (headers.contact ?? []).map((contact) => addressOf(contact, 'Contact')),
    ...(callId === undefined ? {} : { callId }),
    ...(headers.cseq === undefined ? {} : { cseq: headers.cseq }),
    ...(hops === undefined ? {} : { maxForwards: Number(hops) }),
    others,
    body: parsed.body,
    unreadable,
  }
}

function plainUri(uri: TextUri): ReadUri {
  return {
    scheme: uri.schema ?? uri.scheme ?? '',
    ...(uri.user === undefined ? {} : { user: unescapedOnce(uri.user) }),
    host: plainHost(uri.host ?? ''),
    ...(Number.isNaN(uri.port) ? {} : { port: uri.port }),
    params: plainParams(uri.params, unescapedOnce),
    headers: plainParams(uri.headers, unescapedOnce),
  }
}

function plainVia(via: TextVia): ReadVia {
  return {
    transport: via.protocol,
    host: plainHost(via.host),
    ...(via.port === undefined ? {} : { port: via.port }),
    params: plainParams(via.params, unquoted),
  }
}

function plainParams(params: Params, decode: (text: string) => string): Record<string, string> {
  const pairs = Object.entries(params ?? {}).map(([name, value]) => [
    unescapedOnce(name).toLowerCase(),
    decode(value ?? ''),
  ])
  return Object.fromEntries(pairs) as Record<string, string>
}

/** The text of credentials, which come as an object with the scheme beside the parameters. */
function credentialsText(value: Record<string, string>): string {
  const { scheme, ...params } = value
  const pairs = Object.entries(params).map(([name, text]) => `${name}=${text}`)
  return `${scheme} ${pairs.join(', ')}`
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
