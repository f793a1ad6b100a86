/**
 * What the bytes of a connection mean: an interface, and its implementation for SIP straight over a stream
 * (RFC 3261 §18.3; keep-alives RFC 5626 §3.5.1). Pure.
 */
import { type FramerEvent, pingBytes, StreamFramer } from '@carillon/sip-parser'

/** What came out of the bytes of one read, in order. */
export type FramingEvent =
  | FramerEvent
  /** The handshake is done: messages may be sent. */
  | { readonly kind: 'ready' }
  /** Bytes that the protocol below SIP answers with. */
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  /**
   * The peer has ended the connection, or broken its protocol: `last` still goes out. With `violation`, a fixed word,
   * it counts as garbage.
   */
  | { readonly kind: 'end'; readonly reason: string; readonly last?: Uint8Array; readonly violation?: string }

/** Cuts what comes in and wraps what goes out, for one connection. */
export interface StreamFraming {
  /** False while a handshake is under way; then nothing may be wrapped. */
  readonly isReady: boolean
  /** True between messages. */
  readonly isIdle: boolean
  /** True when messages are kept apart from one another without looking into them. */
  readonly keepsMessagesApart: boolean
  /** The first bytes to send once the connection is up; undefined when the peer begins. */
  readonly greeting: Uint8Array | undefined
  /** Takes the next bytes of the stream. The chunk is not kept. */
  push(chunk: Uint8Array): readonly FramingEvent[]
  /** One message, or line ends, as it goes over the connection. The input is not changed, and may be what is returned. */
  wrap(bytes: Uint8Array): Uint8Array
  /** Bytes that a living peer answers. */
  ping(): Uint8Array
  /** The last bytes of a connection that we end; undefined when none are needed. */
  goodbye(): Uint8Array | undefined
}

/** SIP over TCP and TLS: messages cut by Content-Length. */
export class SipFraming implements StreamFraming {
  readonly isReady = true
  readonly keepsMessagesApart = false
  readonly greeting = undefined
  private readonly framer: StreamFramer

  constructor(messageBytesMax: number) {
    this.framer = new StreamFramer({ limits: { messageBytesMax } })
  }

  get isIdle(): boolean {
    return this.framer.isIdle
  }

  push(chunk: Uint8Array): readonly FramingEvent[] {
    return this.framer.push(chunk)
  }

  wrap(bytes: Uint8Array): Uint8Array {
    return bytes
  }

  ping(): Uint8Array {
    return pingBytes
  }

  goodbye(): undefined {
    return undefined
  }
}
