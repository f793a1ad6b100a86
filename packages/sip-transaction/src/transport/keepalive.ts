/**
 * Keep-alive traffic that is no SIP message: CRLF pings (RFC 5626 §3.5.1, RFC 3261 §7.5) and STUN binding requests on
 * the SIP port (RFC 5626 §3.5.2 and §8, RFC 5389 §6, §7.3, §15.2). Pure.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** What a datagram is, as far as its first bytes tell. */
export type DatagramKind =
  /** May be a SIP message; the parser decides. */
  | 'message'
  /** Line ends, blanks or zero bytes only: sent to keep a NAT binding open. */
  | 'keep-alive'
  /** A STUN message, told by its magic cookie. */
  | 'stun'
  /** Bytes that can begin neither. */
  | 'garbage'

const magicCookie = 0x2112a442
const stunHeaderBytes = 20
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const xorMappedAddress = 0x0020

/** Tells what a datagram is. One comparison for a SIP message, whose first byte is a letter. */
export function classifyDatagram(bytes: Uint8Array): DatagramKind {
  const first = bytes[0]
  if (first === undefined) return 'keep-alive'
  if (first > 32 && first < 127) return 'message'
  if (first < 4 && isStun(bytes)) return 'stun'
  return classifyBlank(bytes)
}

/**
 * The answer to a STUN binding request: the address it was seen to come from.
 * @param source where the request came from, as IP address and port
 * @returns undefined for any other STUN message, which is to be ignored
 */
export function stunBindingResponse(
  request: Uint8Array,
  source: { readonly address: string; readonly port: number },
): Uint8Array | undefined {
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength)
  if (!isStun(request) || view.getUint16(0) !== bindingRequest) return undefined
  const address = addressBytes(source.address)
  if (address === undefined) return undefined
  const response = new Uint8Array(stunHeaderBytes + 8 + address.length)
  const out = new DataView(response.buffer)
  out.setUint16(0, bindingSuccess)
  out.setUint16(2, 8 + address.length)
  response.set(request.subarray(4, stunHeaderBytes), 4)
  out.setUint16(20, xorMappedAddress)
  out.setUint16(22, 4 + address.length)
  out.setUint16(24, address.length === 4 ? 1 : 2)
  out.setUint16(26, source.port ^ (magicCookie >>> 16))
  // Cookie and transaction id stand one after the other in the header, and they are what the address is masked with.
  for (let i = 0; i < address.length; i++) response[28 + i] = (address[i] ?? 0) ^ (response[4 + i] ?? 0)
  return response
}

/**
 * A STUN binding request.
 * @param transactionId twelve unpredictable bytes
 */
export function stunBindingRequest(transactionId: Uint8Array): Uint8Array {
  const request = new Uint8Array(stunHeaderBytes)
  const view = new DataView(request.buffer)
  view.setUint16(0, bindingRequest)
  view.setUint32(4, magicCookie)
  request.set(transactionId.subarray(0, 12), 8)
  return request
}

/** True for the success response to that request. */
export function isStunBindingSuccess(message: Uint8Array, request: Uint8Array): boolean {
  if (!isStun(message) || message[0] !== bindingSuccess >>> 8 || message[1] !== (bindingSuccess & 255)) return false
  for (let at = 4; at < stunHeaderBytes; at++) if (message[at] !== request[at]) return false
  return true
}

/** The address in a binding response, as bytes that can be compared; undefined when it has none. */
export function mappedAddressOf(message: Uint8Array): string | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  let at = stunHeaderBytes
  while (at + 4 <= message.length) {
    const length = view.getUint16(at + 2)
    const end = at + 4 + length
    if (end > message.length) return undefined
    if (view.getUint16(at) === xorMappedAddress) return unmasked(message, at + 4, end)
    // Attributes are padded to four bytes (RFC 5389 §15).
    at = end + ((4 - (length & 3)) & 3)
  }
  return undefined
}

/** The transaction id is part of the mask of an IPv6 address, so that only the unmasked bytes can be compared. */
function unmasked(message: Uint8Array, start: number, end: number): string {
  const bytes = Buffer.from(message.subarray(start, end))
  for (let at = 2; at < bytes.length; at++) {
    const mask = at < 4 ? message[4 + at - 2] : message[4 + at - 4]
    bytes[at] = (bytes[at] ?? 0) ^ (mask ?? 0)
  }
  return bytes.subarray(1).toString('hex')
}

function isStun(bytes: Uint8Array): boolean {
  if (bytes.length < stunHeaderBytes || (bytes[0] ?? 255) > 3) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(4) === magicCookie && view.getUint16(2) === bytes.length - stunHeaderBytes
}

/** Line ends may stand before a message (RFC 3261 §7.5); a datagram of nothing else is a keep-alive. */
function classifyBlank(bytes: Uint8Array): DatagramKind {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 13 || byte === 10 || byte === 32 || byte === 9 || byte === 0) continue
    const isAfterLineEnd = i > 0 && bytes[i - 1] === 10
    return isAfterLineEnd && byte > 32 && byte < 127 ? 'message' : 'garbage'
  }
  return 'keep-alive'
}

function addressBytes(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number)
  const zoneAt = address.indexOf('%')
  const bare = zoneAt < 0 ? address : address.slice(0, zoneAt)
  if (!isIPv6(bare)) return undefined
  const [head = '', tail] = bare.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const zeros = new Array<number>(Math.max(0, 16 - before.length - after.length)).fill(0)
  return Uint8Array.from([...before, ...zeros, ...after])
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >>> 8, value & 255]
  })
}
