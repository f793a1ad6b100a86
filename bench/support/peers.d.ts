/**
 * The parts of peer libraries that the benchmarks call, for those that bring no types of their own.
 */
declare module 'sip' {
  export interface SipUri {
    schema: string
    user?: string
    host: string
    port: number
  }
  export interface NameAddr {
    name?: string
    uri: string | SipUri
    params: Record<string, string | null>
  }
  export interface SipVia {
    version: string
    protocol: string
    host: string
    port?: number
    params: Record<string, string | number | null>
  }
  export interface SipHeaders {
    via: SipVia[]
    from: NameAddr
    to: NameAddr
    contact?: NameAddr[]
    cseq: { seq: number; method: string }
    [name: string]: unknown
  }
  export interface Message {
    method?: string
    uri?: string | SipUri
    status?: number
    reason?: string
    version?: string
    headers: SipHeaders
    content?: string
  }
  export function parse(data: Uint8Array | string): Message | undefined
  export function stringify(message: object): string
  export function parseUri(uri: string | SipUri): SipUri | undefined
  export function parseAOR(data: { s: string; i: number }): NameAddr
  export function makeStreamParser(
    onMessage: (message: Message) => void,
    onFlood?: () => void,
    maxBytesHeaders?: number,
  ): (data: string) => void
  export function makeResponse(request: Message, status: number, reason: string, extension?: object): Message
  export function copyMessage(message: Message, deep?: boolean): Message
  export function start(options: object, onRequest: (request: Message, remote: object) => void): void
  export function send(message: Message): void
}

declare module 'sip/digest.js' {
  import type { Message } from 'sip'
  export function challenge(context: object, response: Message): Message
  export function authenticateRequest(context: object, request: Message, credentials: object): boolean
}

declare module 'sip/sdp.js' {
  export interface Session {
    m: object[]
  }
  export function parse(text: string): Session
  export function stringify(session: Session): string
}

declare module 'sdp-transform' {
  export interface Session {
    media: object[]
  }
  export function parse(text: string): Session
  export function write(session: Session): string
}

declare module 'drachtio-sip' {
  export class SipMessage {
    constructor(text?: string)
    headers: Record<string, string>
    method?: string
    uri?: string
    version?: string
    body?: string
    set(name: string, value: string): this
    get(name: string): string | undefined
    getParsedHeader(name: string): { uri?: string } & Record<string, unknown>
    toString(): string
  }
  export const parser: {
    parseSipMessage(text: string, lazy?: boolean): { headers: Record<string, unknown>; uri: string } | undefined
    parseUri(uri: string): unknown
    getParser(name: string): (data: { s: string; i: number }) => { uri: string }
  }
}

declare module 'jssip/lib/Grammar.js' {
  const Grammar: { parse(text: string, rule: string): unknown }
  export default Grammar
}

declare module 'jssip/lib/NameAddrHeader.js' {
  const NameAddrHeader: { parse(text: string): unknown }
  export default NameAddrHeader
}

declare module 'jssip/lib/Parser.js' {
  export interface IncomingMessage {
    method: string
    from: { uri: { user: string } }
    headers: Record<string, unknown>
    body: string
    server_transaction: object
    reply(status: number, reason?: string | null, headers?: string[] | null, body?: string | null): void
    parseHeader(name: string): unknown
  }
  export function parseMessage(text: string, ua: object): IncomingMessage | undefined
}

declare module 'jssip/lib/SIPMessage.js' {
  export class OutgoingRequest {
    constructor(method: string, uri: unknown, ua: object, params: object, extraHeaders?: string[], body?: string)
    setHeader(name: string, value: string): void
    toString(): string
  }
}

declare module 'jssip/lib/URI.js' {
  const URI: { parse(text: string): unknown }
  export default URI
}
