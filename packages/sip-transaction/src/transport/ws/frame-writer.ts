/** WebSocket frames (RFC 6455 §5.2), unfragmented. Pure. */
import { isUtf8 } from 'node:buffer'
import { opcodes } from './frame-parser'

/**
 * One frame.
 * @param mask four unpredictable bytes for the client's side (RFC 6455 §5.3); undefined for the server's
 * @returns fresh bytes; the payload is not changed
 */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: Uint8Array | undefined): Uint8Array {
  const { length } = payload
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const maskAt = 2 + lengthBytes
  const payloadAt = maskAt + (mask === undefined ? 0 : 4)
  const frame = new Uint8Array(payloadAt + length)
  const view = new DataView(frame.buffer)
  const maskBit = mask === undefined ? 0 : 0x80
  frame[0] = 0x80 | opcode
  frame[1] = maskBit | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) view.setUint16(2, length)
  else if (lengthBytes === 8) view.setUint32(6, length)
  if (mask === undefined) frame.set(payload, payloadAt)
  else {
    frame.set(mask, maskAt)
    for (let at = 0; at < length; at++) frame[payloadAt + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0)
  }
  return frame
}

/** One SIP message: as text where it is text, for scripts like that better, and as bytes otherwise (RFC 7118 §4.2). */
export function encodeMessage(bytes: Uint8Array, mask: Uint8Array | undefined): Uint8Array {
  return encodeFrame(isUtf8(bytes) ? opcodes.TEXT : opcodes.BINARY, bytes, mask)
}

/** A close frame; without a code it says nothing (RFC 6455 §5.5.1). */
export function encodeClose(code: number | undefined, mask: Uint8Array | undefined): Uint8Array {
  const payload = code === undefined ? new Uint8Array(0) : Uint8Array.of(code >>> 8, code & 255)
  return encodeFrame(opcodes.CLOSE, payload, mask)
}
