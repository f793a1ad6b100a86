/**
 * SRTP and its keys in SDP: what was not protected with the keys is refused and changes nothing; what was comes back as
 * it was, once. The input is a packet, and a crypto attribute where it reads as one.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  cryptoOf,
  isRtp,
  materialsOf,
  type SrtpMaterial,
  SrtpReceiver,
  SrtpSender,
  type SrtpSuiteName,
  srtpFailures,
  srtpOverheadMax,
  srtpSuites,
} from '@carillon/rtp-relay'
import { cryptoCodec } from '@carillon/sip-parser/sdp'
import type { SeededGenerator } from '@carillon/sip-parser/testing'
import { mutateUri } from '@carillon/sip-parser/testing'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { mutateRtp, rtpSeeds } from './rtp-seeds.ts'

const suites = Object.keys(srtpSuites) as SrtpSuiteName[]
const failures: ReadonlySet<number> = new Set(Object.values(srtpFailures))
/** Forged sources of one case. */
const forgedSources = 70
const packetBytesMax = 2_048
/** Sources that one key serves at once, as docs/LIMITS.md has it. */
const sourcesMax = 64
const runPackets = 9

/** What protects and opens; the fuzzer's own tests may put one with a fault in its place. */
export interface SrtpMaker {
  receiver(material: readonly SrtpMaterial[]): SrtpReceiver
  sender(material: SrtpMaterial): SrtpSender
}

const real: SrtpMaker = {
  receiver: (material) => new SrtpReceiver(material),
  sender: (material) => new SrtpSender(material),
}

/** Makes the target. */
export function srtpTarget(maker: SrtpMaker = real): Target {
  return {
    name: 'srtp',
    seeds: [...rtpSeeds, ...cryptoSeeds()],
    mutate,
    check: (input, probe) => check(maker, input, probe),
  }
}

function cryptoSeeds(): readonly Uint8Array[] {
  const texts = suites
    .filter((name) => srtpSuites[name].cipher !== 'null')
    .map((suite) => cryptoCodec.encode(cryptoOf(materialOf(suite, 1), 1)).value ?? '')
  const key = Buffer.alloc(30, 7).toString('base64')
  const odd = [
    `1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4;inline:${key}|1000|2:4`,
    `2 AES_CM_128_HMAC_SHA1_32 inline:${key}|2^31|1:128 KDR=24 UNENCRYPTED_SRTP UNENCRYPTED_SRTCP WSH=32768 -X=1`,
  ]
  return [...texts, ...odd].map((text) => Buffer.from(text))
}

function mutate(input: Uint8Array, generator: SeededGenerator, donors: readonly Uint8Array[]): Uint8Array {
  const isText = (input[0] ?? 0) < 0x80
  return isText && !generator.once(4) ? mutateUri(input, generator, donors) : mutateRtp(input, generator, donors)
}

function check(maker: SrtpMaker, input: Uint8Array, probe: Probe): void {
  checkAttribute(maker, Buffer.from(input).toString('latin1'), input.length, probe)
  const packet = input.subarray(0, packetBytesMax)
  const salt = saltOf(packet)
  const suite = suites[salt % suites.length] ?? 'AES_CM_128_HMAC_SHA1_80'
  const materials = materialsFor(suite, salt)
  const [material] = materials
  if (material === undefined) return
  const receiver = maker.receiver(materials)
  checkForged(receiver, packet, probe)
  for (const kind of ['rtp', 'rtcp'] as const) {
    if (kind === 'rtp' ? !isRtp(packet) : packet.length < 8) continue
    probe.reach(`${kind} ${suite} ${salt >> 4}`)
    checkValid(receiver, maker.sender(material), kind, packet, salt, probe)
  }
  checkDowngrade(maker, materials, packet)
  checkRun(maker, materials, packet)
  if (salt < suites.length) checkSources(maker, materials)
  receiver.close()
  must(receiver.unprotectRtp(Uint8Array.from(packet), packet.length) < 0, 'closed keys open nothing', () => '')
}

/** Bytes that nobody has protected: refused, left alone, and no source is kept for them. */
function checkForged(receiver: SrtpReceiver, packet: Uint8Array, probe: Probe): void {
  refuse(receiver, 'rtp', packet, probe)
  refuse(receiver, 'rtcp', packet, probe)
  const forged = new Uint8Array(Math.max(packet.length, 64))
  forged.set(packet)
  forged[0] = 0x80
  for (let source = 0; source < forgedSources; source++) {
    forged[8] = source
    forged[3] = source * 3
    must(receiver.unprotectRtp(forged, forged.length) < 0, 'a forged packet is refused', () => '')
    must(receiver.unprotectRtcp(forged, forged.length) < 0, 'a forged packet is refused', () => '')
  }
  must(receiver.sources === 0, 'forged sources are not kept', () => `${receiver.sources}`)
}

function refuse(receiver: SrtpReceiver, kind: 'rtp' | 'rtcp', packet: Uint8Array, probe: Probe): number {
  const copy = Uint8Array.from(packet)
  const opened = probe.time(`refuse ${kind}`, packet.length, () => open(receiver, kind, copy, copy.length))
  must(failures.has(opened), 'a forged packet is refused', () => `${kind} ${opened}`)
  must(Buffer.from(copy).equals(packet), 'a refused packet is left alone', () => Buffer.from(packet).toString('hex'))
  probe.reach(`${kind} refused ${opened}`)
  return opened
}

/** A packet that was protected: any bit of it changed is refused, and then it comes back as it was, once. */
function checkValid(
  receiver: SrtpReceiver,
  sender: SrtpSender,
  kind: 'rtp' | 'rtcp',
  packet: Uint8Array,
  salt: number,
  probe: Probe,
): void {
  const out = new Uint8Array(packet.length + srtpOverheadMax)
  const before = Buffer.from(packet)
  const size =
    kind === 'rtp' ? sender.protectRtp(packet, packet.length, out) : sender.protectRtcp(packet, packet.length, out)
  must(size > packet.length && size <= out.length, 'a protected packet is longer', () => `${size}`)
  must(before.equals(packet), 'what is protected is left alone', () => before.toString('hex'))
  must(
    out.subarray(size).every((byte) => byte === 0),
    'nothing is written past the end',
    () => `${size}`,
  )
  const sealed = out.slice(0, size)
  const sources = receiver.sources
  for (const bit of [
    0,
    7,
    size * 8 - 1,
    salt % (size * 8),
    (salt * 31) % (size * 8),
    (packet.length * 8) % (size * 8),
  ]) {
    const damaged = Uint8Array.from(sealed)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    refuse(receiver, kind, damaged, probe)
  }
  refuse(receiver, kind, sealed.subarray(0, size - 1), probe)
  must(receiver.sources === sources, 'damaged packets leave no source', () => `${receiver.sources}`)
  const opened = open(receiver, kind, out, size)
  must(opened === packet.length, 'a protected packet is opened', () => `${kind} ${opened} of ${packet.length}`)
  must(before.equals(out.subarray(0, opened)), 'a protected packet comes back', () =>
    Buffer.from(out.subarray(0, opened)).toString('hex'),
  )
  const again = refuse(receiver, kind, sealed, probe)
  must(again === srtpFailures.REPLAY, 'a replay is refused as one', () => `${kind} ${again}`)
  if (kind === 'rtp') {
    const twice = sender.protectRtp(packet, packet.length, new Uint8Array(out.length))
    must(twice === srtpFailures.REPLAY, 'no index is used twice', () => `${twice}`)
  }
}

/** Who has the keys and leaves encryption out where it was agreed on, or the other way round, is not let in. */
function checkDowngrade(maker: SrtpMaker, materials: readonly SrtpMaterial[], packet: Uint8Array): void {
  const [material] = materials
  if (material === undefined || srtpSuites[material.suite].cipher === 'null' || packet.length < 8) return
  const other = maker.sender({ ...material, isRtcpEncrypted: material.isRtcpEncrypted === false })
  const out = new Uint8Array(packet.length + srtpOverheadMax)
  const size = other.protectRtcp(packet, packet.length, out)
  const opened = maker.receiver(materials).unprotectRtcp(out, size)
  must(opened === srtpFailures.AUTHENTICATION, 'another use of encryption is refused', () => `${opened}`)
}

/** Packets over the wrap of the sequence numbers, with gaps as the input says, each two of them swapped: each once. */
function checkRun(maker: SrtpMaker, materials: readonly SrtpMaterial[], input: Uint8Array): void {
  const [material] = materials
  if (material === undefined) return
  const sender = maker.sender(material)
  const receiver = maker.receiver(materials)
  const sent: { clear: Uint8Array; sealed: Uint8Array }[] = []
  for (let index = 0, sequence = 65_500; index < runPackets; index++) {
    const clear = new Uint8Array(20 + index)
    clear.set([0x80, 0, (sequence >> 8) & 0xff, sequence & 0xff])
    clear.set(input.subarray(index, index + 8), 12)
    const out = new Uint8Array(clear.length + srtpOverheadMax)
    sent.push({ clear, sealed: out.subarray(0, sender.protectRtp(clear, clear.length, out)) })
    // Two swapped ones stay within the smallest window.
    sequence += 1 + (input[index] ?? 0) / 5
    sequence = Math.floor(sequence)
  }
  const swapped = sent.map((one, index) => (index === 0 ? one : (sent[index % 2 === 0 ? index - 1 : index + 1] ?? one)))
  for (const { clear, sealed } of swapped) {
    const packet = Uint8Array.from(sealed)
    const opened = receiver.unprotectRtp(packet, packet.length)
    const isSame = opened === clear.length && Buffer.from(packet.subarray(0, opened)).equals(clear)
    must(isSame, 'every packet of a run comes back', () => `${opened} of ${clear.length}`)
  }
  for (const { sealed } of sent) {
    const opened = receiver.unprotectRtp(Uint8Array.from(sealed), sealed.length)
    must(opened === srtpFailures.REPLAY, 'no packet of a run comes twice', () => `${opened}`)
  }
}

/** Sources that are authentic are many perhaps: those that are kept are not. */
function checkSources(maker: SrtpMaker, materials: readonly SrtpMaterial[]): void {
  const [material] = materials
  if (material === undefined) return
  const receiver = maker.receiver(materials)
  let refused = 0
  for (const half of [0, 1]) {
    const sender = maker.sender(material)
    for (let source = 0; source < forgedSources; source++) {
      const packet = Uint8Array.from([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, half, source, 9])
      const out = new Uint8Array(packet.length + srtpOverheadMax)
      const size = sender.protectRtp(packet, packet.length, out)
      if (size < 0) refused++
      else must(receiver.unprotectRtp(out, size) === packet.length, 'a new source is let in', () => `${half} ${source}`)
    }
  }
  must(receiver.sources === sourcesMax, 'the sources that are kept have a cap', () => `${receiver.sources}`)
  must(refused === 2 * (forgedSources - sourcesMax), 'a sender takes no more sources than its cap', () => `${refused}`)
}

function open(receiver: SrtpReceiver, kind: 'rtp' | 'rtcp', packet: Uint8Array, length: number): number {
  return kind === 'rtp' ? receiver.unprotectRtp(packet, length) : receiver.unprotectRtcp(packet, length)
}

/** Keys that an attribute gives work, and say the same when they are written again. */
function checkAttribute(maker: SrtpMaker, text: string, size: number, probe: Probe): void {
  const read = cryptoCodec.decode(text)
  if (!read.ok) return
  const materials = probe.time('materialsOf', size, () => materialsOf(read.value))
  probe.reach(`attribute ${materials === undefined ? 'refused' : `${materials.length} ${materials[0]?.suite}`}`)
  if (materials === undefined) return
  for (const { suite, masterKey, masterSalt, mki, lifetimePackets = 1 } of materials) {
    const { keyBytes, saltBytes } = srtpSuites[suite]
    must(masterKey.length === keyBytes && masterSalt.length === saltBytes, 'keys have their length', () => suite)
    must((mki?.length ?? 1) >= 1 && (mki?.length ?? 1) <= 128, 'an identifier has its length', () => `${mki?.length}`)
    must(lifetimePackets >= 1, 'a key protects a packet at least', () => `${lifetimePackets}`)
  }
  maker.receiver(materials).close()
  for (const material of materials) {
    const again = materialsOf(cryptoOf(material, 1))
    must(
      again !== undefined && isDeepStrictEqual(plain(again[0]), plain(material)),
      'keys are written as they are read',
      () => text.replace(/inline:[^|; ]+/g, 'inline:…'),
    )
  }
}

function plain(material: SrtpMaterial | undefined): unknown {
  if (material === undefined) return undefined
  const { masterKey, masterSalt, mki, ...rest } = material
  return { ...rest, bytes: [masterKey, masterSalt, mki ?? []].map((part) => Array.from(part)) }
}

/** A number from all bytes, so that every case has its own suite and settings. */
function saltOf(packet: Uint8Array): number {
  let salt = packet.length
  for (const byte of packet) salt = (Math.imul(salt, 31) + byte) >>> 0
  return salt % 160
}

/** One key, or two that identifiers tell apart; with derivation anew, without encryption, and with a wide window. */
function materialsFor(suite: SrtpSuiteName, salt: number): readonly SrtpMaterial[] {
  const settings = Math.floor(salt / suites.length)
  const shared: Partial<SrtpMaterial> = {
    ...(settings % 4 === 1 ? { keyDerivationRate: 16 } : {}),
    ...(settings % 4 === 2 ? { isRtpEncrypted: false, isRtcpEncrypted: false } : {}),
    ...(settings % 4 === 3 ? { windowSize: 1_000 } : {}),
  }
  if (settings < 8) return [{ ...materialOf(suite, 1), ...shared }]
  return [1, 2].map((seed) => ({ ...materialOf(suite, seed), ...shared, mki: Uint8Array.of(settings, seed) }))
}

function materialOf(suite: SrtpSuiteName, seed: number): SrtpMaterial {
  const { keyBytes, saltBytes } = srtpSuites[suite]
  return {
    suite,
    masterKey: Uint8Array.from({ length: keyBytes }, (_, at) => (at * 17 + seed) & 0xff),
    masterSalt: Uint8Array.from({ length: saltBytes }, (_, at) => (at * 29 + seed) & 0xff),
  }
}
