/**
 * HEP version 3 packets (Homer Encapsulation Protocol, the EEP of the HOMER project): one captured message with its
 * addresses and time, as chunks of vendor, type, length and value. Pure.
 */
import { Buffer } from 'node:buffer'
import { type HepProblemCode, SipUsageError } from '../../errors'
import { hepChunksMax, hepPacketBytesMax } from '../../limits'
import { ipBytes, ipText } from './ip-bytes'

/** One captured message. */
export interface HepPacket {
  readonly source: HepEndpoint
  readonly destination: HepEndpoint
  /** Number of the protocol below the message: 17 UDP, 6 TCP. */
  readonly ipProtocol: number
  /** When it was captured, in milliseconds since the Unix epoch; microseconds are kept. */
  readonly wallMs: number
  /** What the payload is: 1 SIP. */
  readonly payloadType: number
  /** Names the capturing agent. */
  readonly agentId: number
  /** What the capture server asks for. A secret. */
  readonly key?: string
  /** What ties packets together: the Call-ID. */
  readonly correlationId?: string
  readonly payload: Uint8Array
}

/** One end of the way of a captured message. */
export interface HepEndpoint {
  /** An IPv4 or IPv6 address. */
  readonly address: string
  readonly port: number
}

/** What {@link decodeHep} makes of bytes. */
export type HepResult =
  | { readonly ok: true; readonly packet: HepPacket }
  | { readonly ok: false; readonly code: HepProblemCode }

/** `payloadType` of SIP. */
export const hepPayloadSip = 1

const headerBytes = 6
const chunkHeaderBytes = 6

/** Chunk types of the generic vendor, 0. */
const chunk = {
  family: 1,
  ipProtocol: 2,
  source4: 3,
  destination4: 4,
  source6: 5,
  destination6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  payloadType: 11,
  agentId: 12,
  key: 14,
  payload: 15,
  correlationId: 17,
} as const

const familyIpv4 = 2
const familyIpv6 = 10

/**
 * The packet as bytes; the caller owns them. When the two addresses are of different families both are written as IPv6.
 * @throws SipUsageError HEP_INVALID
 */
export function encodeHep(packet: HepPacket): Buffer {
  const bytes = tryEncodeHep(packet)
  if (bytes === undefined) throw new SipUsageError('HEP_INVALID')
  return bytes
}

/** @internal As {@link encodeHep}; undefined for what cannot be written. */
export function tryEncodeHep(packet: HepPacket): Buffer | undefined {
  const { source, destination, payload } = packet
  const [from, to] = sameFamily(ipBytes(source.address), ipBytes(destination.address))
  if (from === undefined || to === undefined) return undefined
  const key = Buffer.from(packet.key ?? '', 'utf8')
  const correlation = Buffer.from(packet.correlationId ?? '', 'utf8')
  const texts = [key, correlation].reduce((sum, { length }) => sum + (length === 0 ? 0 : chunkHeaderBytes + length), 0)
  const numbers = 7 + 7 + 2 * (chunkHeaderBytes + from.length) + 8 + 8 + 10 + 10 + 7 + 10
  const total = headerBytes + numbers + texts + chunkHeaderBytes + payload.length
  if (total > hepPacketBytesMax || !isPort(source.port) || !isPort(destination.port)) return undefined
  const microseconds = Math.max(0, Math.round(packet.wallMs * 1000))
  if (!Number.isFinite(microseconds)) return undefined
  const isIpv4 = from.length === 4
  const writer = new ChunkWriter(total)
  writer.uint(chunk.family, 1, isIpv4 ? familyIpv4 : familyIpv6)
  writer.uint(chunk.ipProtocol, 1, packet.ipProtocol & 0xff)
  writer.bytes(isIpv4 ? chunk.source4 : chunk.source6, from)
  writer.bytes(isIpv4 ? chunk.destination4 : chunk.destination6, to)
  writer.uint(chunk.sourcePort, 2, source.port)
  writer.uint(chunk.destinationPort, 2, destination.port)
  writer.uint(chunk.seconds, 4, Math.floor(microseconds / 1e6) % 2 ** 32)
  writer.uint(chunk.microseconds, 4, microseconds % 1e6)
  writer.uint(chunk.payloadType, 1, packet.payloadType & 0xff)
  writer.uint(chunk.agentId, 4, packet.agentId >>> 0)
  if (key.length > 0) writer.bytes(chunk.key, key)
  if (correlation.length > 0) writer.bytes(chunk.correlationId, correlation)
  writer.bytes(chunk.payload, payload)
  return writer.out
}

/**
 * Reads one packet; whatever the bytes are, it does not throw. Chunks of other vendors, and those of no interest here,
 * are passed over. The payload is a view into `bytes`.
 */
export function decodeHep(bytes: Uint8Array): HepResult {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < headerBytes || view.toString('latin1', 0, 4) !== 'HEP3') return problem('HEP_NO_PACKET')
  if (view.readUInt16BE(4) !== view.length) return problem('HEP_LENGTH')
  const values = new Map<number, Buffer>()
  let at = headerBytes
  for (let count = 0; at < view.length; count += 1) {
    if (count === hepChunksMax) return problem('HEP_CHUNKS_TOO_MANY')
    if (view.length - at < chunkHeaderBytes) return problem('HEP_LENGTH')
    const vendor = view.readUInt16BE(at)
    const type = view.readUInt16BE(at + 2)
    const length = view.readUInt16BE(at + 4)
    if (length < chunkHeaderBytes || length > view.length - at) return problem('HEP_LENGTH')
    const value = view.subarray(at + chunkHeaderBytes, at + length)
    const expected = lengthsByType.get(type)
    if (vendor === 0 && expected !== undefined && expected !== value.length) return problem('HEP_CHUNK')
    // The first of a kind counts, as everywhere where a sender says something twice.
    if (vendor === 0 && !values.has(type)) values.set(type, value)
    at += length
  }
  return assemble(values)
}

const lengthsByType: ReadonlyMap<number, number> = new Map<number, number>([
  [chunk.family, 1],
  [chunk.ipProtocol, 1],
  [chunk.source4, 4],
  [chunk.destination4, 4],
  [chunk.source6, 16],
  [chunk.destination6, 16],
  [chunk.sourcePort, 2],
  [chunk.destinationPort, 2],
  [chunk.seconds, 4],
  [chunk.microseconds, 4],
  [chunk.payloadType, 1],
  [chunk.agentId, 4],
])

function assemble(values: ReadonlyMap<number, Buffer>): HepResult {
  const family = numberOf(values.get(chunk.family))
  const isIpv4 = family === familyIpv4
  if (!isIpv4 && family !== familyIpv6) return problem(family === undefined ? 'HEP_INCOMPLETE' : 'HEP_CHUNK')
  const from = values.get(isIpv4 ? chunk.source4 : chunk.source6)
  const to = values.get(isIpv4 ? chunk.destination4 : chunk.destination6)
  const [sourcePort, destinationPort, seconds, microseconds] = [
    chunk.sourcePort,
    chunk.destinationPort,
    chunk.seconds,
    chunk.microseconds,
  ].map((type) => numberOf(values.get(type)))
  const payload = values.get(chunk.payload)
  if (from === undefined || to === undefined || payload === undefined) return problem('HEP_INCOMPLETE')
  if (sourcePort === undefined || destinationPort === undefined) return problem('HEP_INCOMPLETE')
  if (seconds === undefined || microseconds === undefined) return problem('HEP_INCOMPLETE')
  const key = values.get(chunk.key)
  const correlation = values.get(chunk.correlationId)
  return {
    ok: true,
    packet: {
      source: { address: ipText(from), port: sourcePort },
      destination: { address: ipText(to), port: destinationPort },
      ipProtocol: numberOf(values.get(chunk.ipProtocol)) ?? 0,
      wallMs: seconds * 1000 + microseconds / 1000,
      payloadType: numberOf(values.get(chunk.payloadType)) ?? 0,
      agentId: numberOf(values.get(chunk.agentId)) ?? 0,
      ...(key === undefined ? {} : { key: key.toString('utf8') }),
      ...(correlation === undefined ? {} : { correlationId: correlation.toString('utf8') }),
      payload,
    },
  }
}

/** Writes chunks into a buffer of the right size. */
class ChunkWriter {
  readonly out: Buffer
  private at = headerBytes

  constructor(total: number) {
    this.out = Buffer.allocUnsafe(total)
    this.out.write('HEP3', 0, 'latin1')
    this.out.writeUInt16BE(total, 4)
  }

  uint(type: number, size: number, value: number): void {
    this.begin(type, size)
    this.out.writeUIntBE(value, this.at, size)
    this.at += size
  }

  bytes(type: number, value: Uint8Array): void {
    this.begin(type, value.length)
    this.out.set(value, this.at)
    this.at += value.length
  }

  private begin(type: number, size: number): void {
    this.out.writeUInt16BE(0, this.at)
    this.out.writeUInt16BE(type, this.at + 2)
    this.out.writeUInt16BE(chunkHeaderBytes + size, this.at + 4)
    this.at += chunkHeaderBytes
  }
}

type MaybeBytes = Uint8Array | undefined

function sameFamily(from: MaybeBytes, to: MaybeBytes): readonly [MaybeBytes, MaybeBytes] {
  if (from === undefined || to === undefined || from.length === to.length) return [from, to]
  return [mapped(from), mapped(to)]
}

/** An IPv4 address within IPv6 (RFC 4291 §2.5.5.2). */
function mapped(address: Uint8Array): Uint8Array {
  return address.length === 16 ? address : Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...address])
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

function numberOf(value: Buffer | undefined): number | undefined {
  return value === undefined ? undefined : value.readUIntBE(0, value.length)
}

function problem(code: HepProblemCode): HepResult {
  return { ok: false, code }
}
