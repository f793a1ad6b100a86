/**
 * SIP over WebSocket (RFC 7118 §4 and §6; RFC 6455): the handshake, then one SIP message in each WebSocket message. Pure:
 * keys and masks come from the random source handed in.
 */
import { keepAliveKind } from '@carillon/sip-parser'
import type { Random } from '../../ports'
import { flowReasons } from '../reasons'
import type { FramingEvent, StreamFraming } from '../stream/stream-framing'
import { closeCodes, FrameParser, opcodes } from './frame-parser'
import { encodeClose, encodeFrame, encodeMessage } from './frame-writer'
import { answerHandshake, type HandshakeRules, handshakeRequest, isAcceptedBy, refusal } from './handshake'
import { HttpHeadReader } from './http-head'

/** Settings of both sides. */
export interface WsFramingOptions {
  readonly messageBytesMax: number
  readonly httpHeadBytesMax: number
}

/** What is special about each side. */
export type WsRole =
  | { readonly side: 'server'; readonly rules: HandshakeRules }
  | { readonly side: 'client'; readonly host: string; readonly path: string; readonly random: Random }

const nothing = new Uint8Array(0)

/** One end of one WebSocket connection. */
export class WsFraming implements StreamFraming {
  readonly keepsMessagesApart = true
  readonly greeting: Uint8Array | undefined
  private readonly frames: FrameParser
  private head: HttpHeadReader | undefined
  private readonly key: string

  constructor(
    private readonly role: WsRole,
    options: WsFramingOptions,
  ) {
    this.frames = new FrameParser({ expectsMask: role.side === 'server', messageBytesMax: options.messageBytesMax })
    this.head = new HttpHeadReader(options.httpHeadBytesMax)
    this.key = role.side === 'client' ? Buffer.from(role.random.bytes(16)).toString('base64') : ''
    this.greeting = role.side === 'client' ? handshakeRequest(role.host, role.path, this.key) : undefined
  }

  get isReady(): boolean {
    return this.head === undefined
  }

  get isIdle(): boolean {
    return this.head === undefined && this.frames.isIdle
  }

  push(chunk: Uint8Array): readonly FramingEvent[] {
    const events: FramingEvent[] = []
    const rest = this.head === undefined ? chunk : this.shakeHands(chunk, events)
    if (rest !== undefined) this.readFrames(rest, events)
    return events
  }

  wrap(bytes: Uint8Array): Uint8Array {
    return encodeMessage(bytes, this.mask())
  }

  ping(): Uint8Array {
    return encodeFrame(opcodes.PING, nothing, this.mask())
  }

  goodbye(): Uint8Array {
    return encodeClose(closeCodes.GOING_AWAY, this.mask())
  }

  /** Reads on in the handshake; what follows it when it is done. */
  private shakeHands(chunk: Uint8Array, events: FramingEvent[]): Uint8Array | undefined {
    const result = this.head?.push(chunk)
    if (result === undefined) return undefined
    const isServer = this.role.side === 'server'
    const failed = (last: Uint8Array | undefined) => {
      const reason = flowReasons.HANDSHAKE_FAILED
      events.push({ kind: 'end', reason, violation: reason, ...(last === undefined ? {} : { last }) })
      return undefined
    }
    if (result.kind !== 'head') return failed(isServer ? refusal(result.kind === 'malformed' ? 400 : 431) : undefined)
    if (this.role.side === 'server') {
      const { isAccepted, response } = answerHandshake(result.head, this.role.rules)
      if (!isAccepted) return failed(response)
      events.push({ kind: 'write', bytes: response })
    } else if (!isAcceptedBy(result.head, this.key)) return failed(undefined)
    this.head = undefined
    events.push({ kind: 'ready' })
    return result.rest
  }

  private readFrames(chunk: Uint8Array, events: FramingEvent[]): void {
    let ping: Uint8Array | undefined
    for (const event of this.frames.push(chunk)) {
      if (event.kind === 'message') readMessage(event.bytes, events)
      // RFC 6455 §5.5.3: of several pings only the last needs an answer.
      else if (event.kind === 'ping') ping = event.payload
      else if (event.kind === 'pong') events.push({ kind: 'pong' })
      else {
        const isClose = event.kind === 'close'
        const last = encodeClose(isClose ? event.code : event.closeCode, this.mask())
        if (isClose) events.push({ kind: 'end', reason: flowReasons.PEER_CLOSED, last })
        else events.push({ kind: 'end', reason: flowReasons.FRAMING, last, violation: event.problem })
        return
      }
    }
    if (ping !== undefined) events.push({ kind: 'write', bytes: encodeFrame(opcodes.PONG, ping, this.mask()) })
  }

  /** RFC 6455 §5.3: a new one for each frame of a client, from a source that nobody can foretell. */
  private mask(): Uint8Array | undefined {
    return this.role.side === 'client' ? this.role.random.bytes(4) : undefined
  }
}

/** RFC 7118 §6: line ends keep alive here as well. */
function readMessage(bytes: Uint8Array, events: FramingEvent[]): void {
  const keepAlive = keepAliveKind(bytes)
  if (bytes.length === 0 || keepAlive === 'filler') return
  if (keepAlive === undefined) events.push({ kind: 'message', bytes })
  else events.push({ kind: keepAlive })
}
