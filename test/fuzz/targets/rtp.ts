/** RTP packets: telling kinds apart, reading, header extensions, telephone events, and writing what was read. */
import { isDeepStrictEqual } from 'node:util'
import {
  classifyPacket,
  isRtp,
  packetKinds,
  RtpExtensionCursor,
  type RtpExtensionElement,
  type RtpHeaderExtension,
  type RtpPacketView,
  readRtp,
  readTelephoneEvents,
  rtpErrorCodes,
  rtpMarker,
  rtpPayloadOffset,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
  writeRtp,
  writeRtpExtensions,
  writeTelephoneEvents,
} from '@carillon/rtp-relay'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { checkDigits } from './rtp-digits.ts'
import { mutateRtp, rtpSeeds } from './rtp-seeds.ts'

/** The reader under test; the fuzzer's own tests may put one with a fault in its place. */
export interface RtpReader {
  readonly readRtp: typeof readRtp
}

/** Makes the target. */
export function rtpTarget(reader: RtpReader = { readRtp }): Target {
  return { name: 'rtp', seeds: rtpSeeds, mutate: mutateRtp, check: (input, probe) => checkRtp(reader, input, probe) }
}

function checkRtp(reader: RtpReader, input: Uint8Array, probe: Probe): void {
  const before = Buffer.from(input)
  checkKind(input, probe)
  checkDigits(input, probe)
  const read = probe.time('readRtp', input.length, () => reader.readRtp(input))
  if (read.ok) {
    checkPacket(reader, input, read.packet, probe)
  } else {
    probe.reach(read.code)
    must(Object.hasOwn(rtpErrorCodes, read.code), 'a fault has a code', () => read.code)
    must(read.offset >= 0 && read.offset <= input.length, 'a fault points into the input', () => `${read.offset}`)
    const isPadding = read.code === 'RTP_PADDING_INVALID'
    must(isRtp(input) === isPadding, 'the packet path refuses the same headers', () => read.code)
  }
  must(before.equals(input), 'the input is left alone', () => before.toString('hex'))
}

/** The ranges of RFC 7983 §7 and of RFC 5761 §4, from the RFCs and not from the code. */
function checkKind(input: Uint8Array, probe: Probe): void {
  const kind = classifyPacket(input)
  const [first = 255, second = 0] = input
  const isReport = second >= 192 && second <= 223
  const ranges: readonly (readonly [number, number, number])[] = [
    [0, 3, packetKinds.STUN],
    [16, 19, packetKinds.ZRTP],
    [20, 63, packetKinds.DTLS],
    [64, 79, packetKinds.TURN_CHANNEL],
    [128, 191, isReport ? packetKinds.RTCP : packetKinds.RTP],
  ]
  const found = ranges.find(([low, high]) => first >= low && first <= high)?.[2] ?? packetKinds.GARBAGE
  const bytesMin = found === packetKinds.TURN_CHANNEL ? 4 : 8
  const wanted = input.length < bytesMin ? packetKinds.GARBAGE : found
  must(kind === wanted, 'a datagram is what its first bytes say', () => `${kind}, not ${wanted}`)
  probe.reach(`kind ${kind}`)
}

function checkPacket(reader: RtpReader, input: Uint8Array, packet: RtpPacketView, probe: Probe): void {
  const { csrcs, extension, payload, paddingBytes } = packet
  const extensionBytes = extension === undefined ? 0 : 4 + extension.data.length
  probe.reach(
    `ok ${Math.min(csrcs.length, 2)} ${extensionBytes > 0} ${Math.min(paddingBytes, 2)} ${payload.length > 0}`,
  )
  must(isRtp(input), 'the packet path takes what is read', () => '')
  const accessors = [rtpMarker(input), rtpPayloadType(input), rtpSequence(input), rtpTimestamp(input) >>> 0]
  const fields = [packet.marker, packet.payloadType, packet.sequence, packet.timestamp]
  must(
    isDeepStrictEqual(accessors, fields),
    'the packet path reads the same fields',
    () => `${accessors} and ${fields}`,
  )
  must(rtpSsrc(input) >>> 0 === packet.ssrc, 'the packet path reads the same source', () => `${packet.ssrc}`)
  const headerBytes = 12 + csrcs.length * 4 + extensionBytes
  must(rtpPayloadOffset(input) === headerBytes, 'the payload begins after the header', () => `${headerBytes}`)
  const size = headerBytes + payload.length + paddingBytes
  must(size === input.length, 'the parts are the whole packet', () => `${size} of ${input.length}`)
  const views = [payload, extension?.data ?? payload]
  must(
    views.every((view) => view.buffer === input.buffer),
    'nothing is copied',
    () => '',
  )
  checkWritten(reader, input, packet, probe)
  if (extension !== undefined) checkExtension(extension, probe)
  const events = readTelephoneEvents(payload)
  probe.reach(events.ok ? `events ${Math.min(3, events.events.length)}` : events.code)
  if (!events.ok) return
  const again = readTelephoneEvents(writeTelephoneEvents(events.events))
  must(isDeepStrictEqual(again, events), 'events read back', () => JSON.stringify(events))
}

function checkWritten(reader: RtpReader, input: Uint8Array, packet: RtpPacketView, probe: Probe): void {
  const written = Buffer.from(probe.time('writeRtp', input.length, () => writeRtp(packet)))
  // Padding may hold anything; it is written as zeros.
  const wanted = Buffer.from(input)
  wanted.fill(0, input.length - packet.paddingBytes, input.length - 1)
  if (packet.paddingBytes === 1) wanted[input.length - 1] = 1
  must(written.equals(wanted), 'what was read is written the same', () => written.toString('hex'))
  const again = reader.readRtp(written)
  must(again.ok && isDeepStrictEqual(plain(again.packet), plain(packet)), 'what was written reads back', () =>
    written.toString('hex'),
  )
}

/** Views of other buffers are not deeply equal to one another: copies are. */
function plain({ payload, extension, ...rest }: RtpPacketView): unknown {
  const copied = extension && { profile: extension.profile, data: Array.from(extension.data) }
  return { ...rest, payload: Array.from(payload), extension: copied }
}

function checkExtension(extension: RtpHeaderExtension, probe: Probe): void {
  const cursor = new RtpExtensionCursor()
  const isKnown = cursor.open(extension)
  const elements: RtpExtensionElement[] = []
  let at = 0
  while (cursor.next()) {
    must(cursor.offset > at, 'elements do not overlap', () => `${cursor.offset} after ${at}`)
    at = cursor.offset + cursor.length
    must(at <= extension.data.length, 'elements lie in the extension', () => `${at}`)
    must(cursor.id >= 1 && cursor.id <= 255, 'an element has an id', () => `${cursor.id}`)
    elements.push({ id: cursor.id, data: cursor.data() })
  }
  must(isKnown || elements.length === 0, 'an unknown form has no elements', () => `${extension.profile}`)
  must(cursor.state !== 'reading' && !cursor.next(), 'a reading ends once', () => cursor.state)
  probe.reach(`extension ${extension.profile >> 4} ${cursor.state} ${Math.min(elements.length, 3)}`)
  const firsts = elements.filter(({ id }, index) => elements.findIndex((one) => one.id === id) === index)
  for (const { id, data } of firsts.slice(0, 20)) {
    must(
      cursor.find(id) && Buffer.from(cursor.data()).equals(data),
      'the first element of an id is found',
      () => `${id}`,
    )
  }
  must(!cursor.find(256), 'an element that is not there is not found', () => '')
  const written = writeRtpExtensions(firsts)
  must(cursor.open(written), 'a written extension has a form', () => `${written.profile}`)
  for (const { id, data } of firsts) {
    const isSame = cursor.next() && cursor.id === id && Buffer.from(cursor.data()).equals(data)
    must(isSame, 'written elements read back', () => `${id}: ${Buffer.from(written.data).toString('hex')}`)
  }
  must(!cursor.next() && cursor.state === 'end', 'a written extension has nothing else', () => cursor.state)
}
