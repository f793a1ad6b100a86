/**
 * WebSocket messages out of a byte stream (RFC 6455 §5): frames, fragments, masks, control frames in between. Nothing is
 * allocated for what a length promises; each byte is copied once, and at most twice more while a message grows. Pure.
 */
import { isUtf8 } from 'node:buffer'

/** Codes of a close frame that are used here (RFC 6455 §7.4.1). */
export const closeCodes = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  NOT_TEXT: 1007,
  TOO_LARGE: 1009,
} as const

/** What a frame is (RFC 6455 §5.2). */
export const opcodes = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const

/** Why a stream cannot be read any further: fixed words, for counters. */
export type FrameProblem =
  | 'reserved bits set'
  | 'opcode unknown'
  | 'mask missing'
  | 'mask not allowed'
  | 'control frame malformed'
  | 'continuation out of place'
  | 'message within a message'
  | 'length malformed'
  | 'message too large'
  | 'text not UTF-8'
  | 'close malformed'

/** What came out of the stream. Bytes are the receiver's. */
export type FrameEvent =
  /** One whole message, text or binary. */
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'ping'; readonly payload: Uint8Array }
  | { readonly kind: 'pong' }
  /** The peer closes; `code` is what it says, undefined when it says nothing. Nothing more comes. */
  | { readonly kind: 'close'; readonly code: number | undefined }
  /** The stream is broken; `closeCode` is what to tell the peer. Nothing more comes. */
  | { readonly kind: 'error'; readonly problem: FrameProblem; readonly closeCode: number }

/** Settings of a parser. */
export interface FrameParserOptions {
  /** True for the server's side: what comes must be masked. False: it must not be (RFC 6455 §5.1). */
  readonly expectsMask: boolean
  /** Bytes of one message over all its fragments. */
  readonly messageBytesMax: number
}

const headerBytesMax = 14
const controlBytesMax = 125
const nothing = new Uint8Array(0)

/** Reads one direction of one connection. After `close` or `error` it takes nothing more. */
export class FrameParser {
  private readonly header = new Uint8Array(headerBytesMax)
  private headerLength = 0
  private headerNeeded = 2
  /** Of the frame whose payload is being read. */
  private opcode = 0
  private isFinal = false
  private isInPayload = false
  private payloadLength = 0
  private payloadRead = 0
  private isMasked = false
  private maskAt = 0
  /** Opcode of the message that its fragments belong to; -1 when none has begun. */
  private messageOpcode = -1
  private message: Uint8Array = nothing
  private messageLength = 0
  private control: Uint8Array = nothing
  private isDead = false

  constructor(private readonly options: FrameParserOptions) {}

  /** True between messages: no frame and no message has begun. */
  get isIdle(): boolean {
    return this.headerLength === 0 && !this.isInPayload && this.messageOpcode < 0
  }

  /** Bytes kept for a message that is not whole yet. */
  get bufferedBytes(): number {
    return this.message.length + this.control.length
  }

  /** Takes the next bytes. The chunk is not kept. */
  push(chunk: Uint8Array): FrameEvent[] {
    const events: FrameEvent[] = []
    let at = 0
    while (!this.isDead && (at < chunk.length || (this.isInPayload && this.payloadLength === 0))) {
      at = this.isInPayload ? this.readPayload(chunk, at, events) : this.readHeader(chunk, at, events)
    }
    return events
  }

  private readHeader(chunk: Uint8Array, start: number, events: FrameEvent[]): number {
    let at = start
    while (at < chunk.length && this.headerLength < this.headerNeeded) {
      this.header[this.headerLength++] = chunk[at++] ?? 0
      if (this.headerLength === 2) {
        const problem = this.checkStart()
        if (problem !== undefined) {
          this.fail(events, problem, closeCodes.PROTOCOL_ERROR)
          return at
        }
      }
    }
    if (this.headerLength === this.headerNeeded) this.beginPayload(events)
    return at
  }

  /** The first two bytes: what is wrong with them, and how many more the header has. */
  private checkStart(): FrameProblem | undefined {
    const [first = 0, second = 0] = this.header
    this.isFinal = (first & 0x80) !== 0
    this.opcode = first & 0x0f
    this.isMasked = (second & 0x80) !== 0
    const length = second & 0x7f
    if ((first & 0x70) !== 0) return 'reserved bits set'
    if (this.isMasked !== this.options.expectsMask) return this.isMasked ? 'mask not allowed' : 'mask missing'
    if (this.opcode >= opcodes.CLOSE) {
      if (this.opcode > opcodes.PONG) return 'opcode unknown'
      if (!this.isFinal || length > controlBytesMax) return 'control frame malformed'
    } else if (this.opcode > opcodes.BINARY) return 'opcode unknown'
    else if (this.opcode === opcodes.CONTINUATION && this.messageOpcode < 0) return 'continuation out of place'
    else if (this.opcode !== opcodes.CONTINUATION && this.messageOpcode >= 0) return 'message within a message'
    this.maskAt = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0)
    this.headerNeeded = this.maskAt + (this.isMasked ? 4 : 0)
    return undefined
  }

  private beginPayload(events: FrameEvent[]): void {
    const length = this.announcedLength()
    if (length === undefined) {
      this.fail(events, 'length malformed', closeCodes.PROTOCOL_ERROR)
      return
    }
    const isData = this.opcode < opcodes.CLOSE
    if (isData && this.messageLength + length > this.options.messageBytesMax) {
      this.fail(events, 'message too large', closeCodes.TOO_LARGE)
      return
    }
    if (isData && this.messageOpcode < 0) this.messageOpcode = this.opcode
    if (!isData) this.control = length === 0 ? nothing : new Uint8Array(length)
    this.payloadLength = length
    this.payloadRead = 0
    this.isInPayload = true
  }

  /** Undefined when it is not written in the shortest way, or has the highest bit set (RFC 6455 §5.2). */
  private announcedLength(): number | undefined {
    const view = new DataView(this.header.buffer)
    const short = (this.header[1] ?? 0) & 0x7f
    if (short < 126) return short
    if (short === 126) {
      const length = view.getUint16(2)
      return length < 126 ? undefined : length
    }
    const high = view.getUint32(2)
    if (high >= 2 ** 31) return undefined
    const length = high * 2 ** 32 + view.getUint32(6)
    return length < 65_536 ? undefined : length
  }

  private readPayload(chunk: Uint8Array, start: number, events: FrameEvent[]): number {
    const end = Math.min(chunk.length, start + this.payloadLength - this.payloadRead)
    const count = end - start
    if (this.opcode >= opcodes.CLOSE) this.copy(chunk, start, end, this.control, this.payloadRead)
    else {
      this.makeRoom(count)
      this.copy(chunk, start, end, this.message, this.messageLength)
      this.messageLength += count
    }
    this.payloadRead += count
    if (this.payloadRead === this.payloadLength) this.endFrame(events)
    return end
  }

  /** Room for what has come, and as much again for what may: never for what was only announced. */
  private makeRoom(count: number): void {
    const needed = this.messageLength + count
    if (needed <= this.message.length) return
    const isWhole = this.isFinal && count === this.payloadLength
    const size = isWhole ? needed : Math.min(this.options.messageBytesMax, Math.max(needed, 2 * this.message.length))
    const grown = new Uint8Array(size)
    grown.set(this.message.subarray(0, this.messageLength))
    this.message = grown
  }

  private copy(chunk: Uint8Array, start: number, end: number, target: Uint8Array, targetAt: number): void {
    if (!this.isMasked) {
      target.set(chunk.subarray(start, end), targetAt)
      return
    }
    const { header, maskAt, payloadRead } = this
    for (let at = start, to = targetAt, turn = payloadRead; at < end; at++, to++, turn++) {
      target[to] = (chunk[at] ?? 0) ^ (header[maskAt + (turn & 3)] ?? 0)
    }
  }

  private endFrame(events: FrameEvent[]): void {
    this.isInPayload = false
    this.headerLength = 0
    this.headerNeeded = 2
    this.payloadLength = 0
    if (this.opcode >= opcodes.CLOSE) this.endControl(events)
    else if (this.isFinal) this.endMessage(events)
  }

  private endMessage(events: FrameEvent[]): void {
    const bytes = this.message.length === this.messageLength ? this.message : this.message.slice(0, this.messageLength)
    const isText = this.messageOpcode === opcodes.TEXT
    this.message = nothing
    this.messageLength = 0
    this.messageOpcode = -1
    if (isText && !isUtf8(bytes)) this.fail(events, 'text not UTF-8', closeCodes.NOT_TEXT)
    else events.push({ kind: 'message', bytes })
  }

  private endControl(events: FrameEvent[]): void {
    const payload = this.control
    this.control = nothing
    if (this.opcode === opcodes.PING) events.push({ kind: 'ping', payload })
    else if (this.opcode === opcodes.PONG) events.push({ kind: 'pong' })
    else this.endClose(payload, events)
  }

  private endClose(payload: Uint8Array, events: FrameEvent[]): void {
    const code = payload.length >= 2 ? ((payload[0] ?? 0) << 8) | (payload[1] ?? 0) : undefined
    if (payload.length === 1 || (code !== undefined && !mayBeSent(code))) {
      this.fail(events, 'close malformed', closeCodes.PROTOCOL_ERROR)
    } else if (!isUtf8(payload.subarray(2))) this.fail(events, 'close malformed', closeCodes.NOT_TEXT)
    else {
      this.die()
      events.push({ kind: 'close', code })
    }
  }

  private fail(events: FrameEvent[], problem: FrameProblem, closeCode: number): void {
    this.die()
    events.push({ kind: 'error', problem, closeCode })
  }

  private die(): void {
    this.isDead = true
    this.isInPayload = false
    this.message = nothing
    this.control = nothing
  }
}

/** RFC 6455 §7.4.1 and §7.4.2, with the codes registered since. */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
}
