/** The session keys of one master key: for SRTP and SRTCP, derived anew where there is a rate (RFC 3711 §4.3). */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { HmacSha1 } from './hmac-sha1'
import { deriveKey, keyLabels } from './key-derivation'
import { CounterMode } from './key-stream'
import type { SrtpMaterial } from './material'
import { type SrtpSuite, srtpSuites } from './suites'

const authKeyBytes = 20

/** What AES-GCM needs. */
export interface GaloisKeys {
  readonly key: KeyObject
  readonly name: 'aes-128-gcm' | 'aes-256-gcm'
  /** 12 bytes. */
  readonly salt: Uint8Array
}

/** Keys for GCM; the key is copied, the salt is kept. */
export function galoisKeys(key: Uint8Array, salt: Uint8Array): GaloisKeys {
  return { key: createSecretKey(key), name: key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', salt }
}

/** What protects one kind of packet, RTP or RTCP: GCM alone, or a hash with a cipher or without. */
export type PacketKeys =
  | { readonly galois: GaloisKeys; readonly hmac?: undefined; readonly counter?: undefined }
  | { readonly galois?: undefined; readonly hmac: HmacSha1; readonly counter: CounterMode | undefined }

/** Of the keys for encryption and authentication, and of the salt. */
type Labels = readonly [encryption: number, authentication: number, salting: number]

function packetKeys(
  suite: SrtpSuite,
  masterKey: Uint8Array,
  masterSalt: Uint8Array,
  round: number,
  [encryption, authentication, salting]: Labels,
): PacketKeys {
  const key = deriveKey(masterKey, masterSalt, encryption, round, suite.keyBytes)
  const salt = deriveKey(masterKey, masterSalt, salting, round, suite.saltBytes)
  try {
    if (suite.cipher === 'aes-gcm') return { galois: galoisKeys(key, Uint8Array.from(salt)) }
    const authKey = deriveKey(masterKey, masterSalt, authentication, round, authKeyBytes)
    const hmac = new HmacSha1(authKey)
    authKey.fill(0)
    return { hmac, counter: suite.cipher === 'aes-cm' ? new CounterMode(key, salt) : undefined }
  } finally {
    key.fill(0)
    salt.fill(0)
  }
}

function wipeKeys({ galois, hmac, counter }: PacketKeys): void {
  galois?.salt.fill(0)
  hmac?.wipe()
  counter?.wipe()
}

const rtpLabels = [keyLabels.RTP_ENCRYPTION, keyLabels.RTP_AUTHENTICATION, keyLabels.RTP_SALT] as const
const rtcpLabels = [keyLabels.RTCP_ENCRYPTION, keyLabels.RTCP_AUTHENTICATION, keyLabels.RTCP_SALT] as const

interface Round {
  readonly number: number
  readonly keys: PacketKeys
}

/**
 * Keys by the round of their derivation. Those of the last authentic packet are kept, those before them for packets that
 * come late, and those of the packet at hand, whose index may be forged.
 */
class Schedule {
  private current: Round | undefined
  private former: Round | undefined
  private tried: Round | undefined
  /** The packet at hand has been given the keys that are tried. */
  private isTrying = false

  constructor(
    private readonly make: (round: number) => PacketKeys,
    private readonly rate: number,
  ) {}

  at(index: number): PacketKeys {
    const number = Math.floor(index / this.rate)
    const { current, former } = this
    this.isTrying = false
    if (current !== undefined && current.number === number) return current.keys
    if (former !== undefined && former.number === number) return former.keys
    return this.attempt(number)
  }

  /** The packet at hand is authentic. */
  confirm(): void {
    const { tried } = this
    if (!this.isTrying || tried === undefined) return
    this.isTrying = false
    if (this.former !== undefined) wipeKeys(this.former.keys)
    this.former = this.current
    this.current = tried
    this.tried = undefined
  }

  wipe(): void {
    for (const round of [this.current, this.former, this.tried]) if (round !== undefined) wipeKeys(round.keys)
    this.current = undefined
    this.former = undefined
    this.tried = undefined
  }

  private attempt(number: number): PacketKeys {
    this.isTrying = true
    const { tried } = this
    if (tried !== undefined && tried.number === number) return tried.keys
    if (tried !== undefined) wipeKeys(tried.keys)
    const keys = this.make(number)
    this.tried = { number, keys }
    return keys
  }
}

/** All that one master key is good for. */
export class SessionKeys {
  readonly suite: SrtpSuite
  readonly mki: Uint8Array | undefined
  readonly isRtpEncrypted: boolean
  readonly isRtcpEncrypted: boolean
  /** The key is the same for every packet. */
  readonly isSteady: boolean
  readonly rtpPacketsMax: number
  readonly rtcpPacketsMax: number
  rtpPackets = 0
  rtcpPackets = 0
  /** The keys of all packets, made when they are needed. */
  private rtp: PacketKeys | undefined
  private rtcp: PacketKeys | undefined
  /** Instead of these, where keys change with the index. */
  private readonly schedules: { readonly rtp: Schedule; readonly rtcp: Schedule } | undefined
  /** Key and salt: a copy of our own, which is wiped, as the caller's is not ours to wipe. */
  private readonly master: Uint8Array

  /** @throws RangeError when key or salt have not the length of the suite */
  constructor({ suite: name, masterKey, masterSalt, ...material }: SrtpMaterial) {
    const suite: SrtpSuite = srtpSuites[name]
    if (masterKey.length !== suite.keyBytes || masterSalt.length !== suite.saltBytes) {
      throw new RangeError(`${name} takes a key of ${suite.keyBytes} bytes and a salt of ${suite.saltBytes} bytes`)
    }
    const { mki, keyDerivationRate = 0, lifetimePackets = 2 ** 48 } = material
    this.suite = suite
    this.mki = mki === undefined || mki.length === 0 ? undefined : mki
    this.isRtpEncrypted = material.isRtpEncrypted !== false && suite.cipher !== 'null'
    this.isRtcpEncrypted = material.isRtcpEncrypted !== false && suite.cipher !== 'null'
    this.isSteady = keyDerivationRate === 0
    this.rtpPacketsMax = Math.min(lifetimePackets, 2 ** 48)
    this.rtcpPacketsMax = Math.min(lifetimePackets, 2 ** 31)
    this.master = new Uint8Array(suite.keyBytes + suite.saltBytes)
    this.master.set(masterKey)
    this.master.set(masterSalt, suite.keyBytes)
    this.schedules = this.isSteady
      ? undefined
      : {
          rtp: new Schedule((round) => this.derive(round, rtpLabels), keyDerivationRate),
          rtcp: new Schedule((round) => this.derive(round, rtcpLabels), keyDerivationRate),
        }
  }

  /** The keys for the SRTP packet with this index. */
  rtpAt(index: number): PacketKeys {
    if (this.schedules !== undefined) return this.schedules.rtp.at(index)
    this.rtp ??= this.derive(0, rtpLabels)
    return this.rtp
  }

  /** The keys for the SRTCP packet with this index. */
  rtcpAt(index: number): PacketKeys {
    if (this.schedules !== undefined) return this.schedules.rtcp.at(index)
    this.rtcp ??= this.derive(0, rtcpLabels)
    return this.rtcp
  }

  /** The SRTP packet for which keys were last asked was made, or is authentic. */
  countRtp(): void {
    this.rtpPackets++
    this.schedules?.rtp.confirm()
  }

  /** The same for SRTCP. */
  countRtcp(): void {
    this.rtcpPackets++
    this.schedules?.rtcp.confirm()
  }

  /** Forgets every key. */
  wipe(): void {
    for (const keys of [this.rtp, this.rtcp]) if (keys !== undefined) wipeKeys(keys)
    this.schedules?.rtp.wipe()
    this.schedules?.rtcp.wipe()
    this.master.fill(0)
  }

  private derive(round: number, labels: Labels): PacketKeys {
    const { keyBytes } = this.suite
    return packetKeys(this.suite, this.master.subarray(0, keyBytes), this.master.subarray(keyBytes), round, labels)
  }
}
