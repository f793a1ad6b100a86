/**
 * `sip.js` and `jssip`: parsers of one ancestry, with a PEG grammar and URIs as objects, which log and return undefined
 * when they do not understand a message.
 */
import {
  namesOnTheWire,
  OTHER_HEADERS,
  plainHost,
  type ReadAddress,
  type Reading,
  type ReadUri,
  type ReadVia,
  unescapedOnce,
  unfolded,
  unquoted,
} from './reading.ts'

type Bag = Readonly<Record<string, unknown>>

interface UriObject {
  scheme: string
  user?: string
  host: string
  port?: number
  parameters?: Bag
  _parameters?: Bag
  headers?: Bag
  _headers?: Bag
}

interface AddressObject {
  uri: UriObject
  displayName?: string
  display_name?: string
  parameters?: Bag
  _parameters?: Bag
}

interface ViaObject {
  transport: string
  host: string
  port?: number
  [name: string]: unknown
}

/** A message of either library, as far as it is used here. */
export interface GrammarMessage {
  method?: string
  ruri?: UriObject
  statusCode?: number
  status_code?: number
  reasonPhrase?: string
  reason_phrase?: string
  body?: string
  getHeader(name: string): string | undefined
  getHeaders(name: string): string[]
  parseHeader(name: string, index?: number): unknown
}

/** What `sip.js/lib/core/messages/parser.js` gives, as far as it is used here. */
export interface SipJsModule {
  Parser: { parseMessage(text: string, logger: { warn(): void; error(): void }): GrammarMessage | undefined }
}

/** What `jssip/lib/Parser.js` gives, as far as it is used here. */
export interface JsSipModule {
  parseMessage(text: string, agent: object): GrammarMessage | undefined
}

/** `Parser.parseMessage(text, logger)`, then `parseHeader` of each header that is read. Quoted pairs in names are left. */
export function readWithSipJs(sipjs: SipJsModule, bytes: Uint8Array): Reading | undefined {
  const logger = { warn: () => {}, error: () => {} }
  // A text frame, or a binary one, which the library's transport decodes as UTF-8 too.
  const message = sipjs.Parser.parseMessage(Buffer.from(bytes).toString('utf8'), logger)
  return message === undefined ? undefined : toReading(message, bytes, unquoted)
}

/** `Parser.parseMessage(text, ua)`, then `parseHeader` of each header that is read. Quoted pairs in names are resolved. */
export function readWithJsSip(jssip: JsSipModule, bytes: Uint8Array): Reading | undefined {
  const message = jssip.parseMessage(Buffer.from(bytes).toString('utf8'), {})
  return message === undefined ? undefined : toReading(message, bytes, (text) => text)
}

function toReading(message: GrammarMessage, bytes: Uint8Array, nameOf: (text: string) => string): Reading {
  const wire = namesOnTheWire(bytes)
  const unreadable: string[] = []
  const decoded = <T>(name: string): T[] => {
    const found: T[] = []
    // Counted first: a header that cannot be decoded is removed from the message by the attempt.
    const count = message.getHeaders(name).length
    for (let index = 0; index < count; index += 1) {
      const value = message.parseHeader(name, index)
      if (value !== undefined) found.push(value as T)
    }
    if (wire.has(name) && (found.length < count || found.length === 0)) unreadable.push(name)
    return found
  }
  const [from] = decoded<AddressObject>('from')
  const [to] = decoded<AddressObject>('to')
  const [cseq] = decoded<{ value: number; method: string }>('cseq')
  const [hops] = decoded<number>('max-forwards')
  decoded('content-length')
  const isRequest = (message.statusCode ?? message.status_code) === undefined
  // A request URI of a scheme that the library does not know comes as undefined.
  if (isRequest && message.ruri === undefined) unreadable.push('URI of the request line')
  const callId = message.getHeader('call-id')
  const others: Record<string, string> = {}
  for (const name of OTHER_HEADERS) {
    const values = message.getHeaders(name)
    if (values.length > 0) others[name] = unfolded(values.join(', '))
  }
  const status = message.statusCode ?? message.status_code
  return {
    ...(status === undefined ? {} : { status, reason: message.reasonPhrase ?? message.reason_phrase ?? '' }),
    ...(status === undefined && message.method !== undefined ? { method: message.method } : {}),
    ...(message.ruri === undefined ? {} : { uri: plainUri(message.ruri) }),
    vias: decoded<ViaObject>('via').map(plainVia),
    ...(from === undefined ? {} : { from: plainAddress(from, nameOf) }),
    ...(to === undefined ? {} : { to: plainAddress(to, nameOf) }),
    contacts: decoded<AddressObject>('contact').map((contact) => plainAddress(contact, nameOf)),
    ...(callId === undefined ? {} : { callId }),
    ...(cseq === undefined ? {} : { cseq: { seq: cseq.value, method: cseq.method } }),
    ...(hops === undefined ? {} : { maxForwards: hops }),
    others,
    body: Buffer.from(message.body ?? '', 'utf8'),
    unreadable,
  }
}

function plainAddress(address: AddressObject, nameOf: (text: string) => string): ReadAddress {
  const name = address.displayName ?? address.display_name
  return {
    ...(name === undefined || name === null ? {} : { displayName: nameOf(name) }),
    uri: plainUri(address.uri),
    params: plainParams(address.parameters ?? address._parameters ?? {}, unquoted),
  }
}

function plainUri(uri: UriObject): ReadUri {
  return {
    scheme: uri.scheme,
    ...(uri.user === undefined || uri.user === null ? {} : { user: uri.user }),
    host: plainHost(uri.host),
    ...(uri.port === undefined || uri.port === null ? {} : { port: uri.port }),
    params: plainParams(uri.parameters ?? uri._parameters ?? {}, unescapedOnce),
    headers: plainParams(uri.headers ?? uri._headers ?? {}, unescapedOnce),
  }
}

function plainVia({ transport, host, port, ...params }: ViaObject): ReadVia {
  return {
    transport,
    host: plainHost(host),
    ...(port === undefined ? {} : { port }),
    params: plainParams(params, unquoted),
  }
}

function plainParams(params: Bag, decode: (text: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      unescapedOnce(name).toLowerCase(),
      decode(Array.isArray(value) ? value.join(',') : String(value ?? '')),
    ]),
  )
}
