/**
 * SRTP of a packet of G.711 (160 bytes after a header of 12): beside npm werift, and beside what the work costs at the least
 * in a runtime that cannot do it in one call: the key stream out of an ECB cipher that is kept, and SHA-1 over four blocks.
 */
import { createCipheriv, randomBytes } from 'node:crypto'
import { generateMaterial, SrtpReceiver, SrtpSender, type SrtpSuiteName, srtpOverheadMax } from '@carillon/rtp-relay'
import { RtpHeader, SrtpSession } from 'werift'
import { type Comparison, type Contestant, compare, measureAll, measurementTable } from '../support/measure.ts'
import { figure, type Report } from '../support/report.ts'
import { compressInLoop } from './sha1-reference.ts'

const payloadBytes = 160
const headerBytes = 12
const packetBytes = headerBytes + payloadBytes
const blocksOfPayload = 11
const blocksOfHash = 4
const weriftMax = 0.2
const referenceMax = 1.5
const CM: SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_80'
const GCM: SrtpSuiteName = 'AEAD_AES_128_GCM'
/** The numbers of these profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
const weriftProfiles: Partial<Record<SrtpSuiteName, 1 | 7>> = { [CM]: 1, [GCM]: 7 }

/** Runs the suite. */
export async function srtpSuite(): Promise<Report> {
  const protect = compare(ours(CM), theirs(CM))
  const floor = compare(ours(CM), reference())
  return {
    title: 'SRTP',
    tables: [
      measurementTable(`${CM}: protect`, measureAll([ours(CM), theirs(CM), reference()])),
      measurementTable(`${CM}: protect and open again`, measureAll([oursBothWays(CM), theirsBothWays(CM)])),
      measurementTable(`${GCM}: protect`, measureAll([ours(GCM), theirs(GCM)])),
      measurementTable(`${GCM}: protect and open again`, measureAll([oursBothWays(GCM), theirsBothWays(GCM)])),
    ],
    verdicts: [
      {
        name: `${CM}: protecting costs at most ${weriftMax} times werift's`,
        isMet: protect.ratio <= weriftMax,
        detail: told(protect),
      },
      {
        name: `${CM}: protecting costs less than ${referenceMax} times one cipher call for ${blocksOfPayload} blocks and ${blocksOfHash} compressions of SHA-1`,
        isMet: floor.ratio < referenceMax,
        detail: told(floor),
      },
    ],
    remarks: [],
  }
}

function told({ ratio, low, high, firstUs, secondUs }: Comparison): string {
  return `${figure(ratio)} ×, half of the rounds between ${figure(low)} and ${figure(high)}; ${figure(firstUs)} µs against ${figure(secondUs)}`
}

/** A packet whose sequence number goes on with each call, over wraps too. */
function nextPacket(): () => Buffer {
  const packet = randomBytes(packetBytes)
  packet[0] = 0x80
  packet[1] = 0
  let sequence = 0
  return () => {
    sequence = (sequence + 1) & 0xffff
    packet[2] = sequence >> 8
    packet[3] = sequence
    return packet
  }
}

function ours(suite: SrtpSuiteName): Contestant {
  const sender = new SrtpSender(generateMaterial(suite, randomBytes))
  const out = Buffer.alloc(packetBytes + srtpOverheadMax)
  const next = nextPacket()
  return {
    name: 'carillon',
    does: 'SrtpSender.protectRtp',
    run: () => checked(sender.protectRtp(next(), packetBytes, out) > packetBytes),
  }
}

function oursBothWays(suite: SrtpSuiteName): Contestant {
  const material = generateMaterial(suite, randomBytes)
  const [sender, receiver] = [new SrtpSender(material), new SrtpReceiver(material)]
  const out = Buffer.alloc(packetBytes + srtpOverheadMax)
  const next = nextPacket()
  return {
    name: 'carillon',
    does: 'protectRtp, unprotectRtp with replay window',
    run: () => checked(receiver.unprotectRtp(out, sender.protectRtp(next(), packetBytes, out)) === packetBytes),
  }
}

function weriftSession(suite: SrtpSuiteName): { session: SrtpSession; header: RtpHeader; payload: Buffer } {
  const { masterKey, masterSalt } = generateMaterial(suite, randomBytes)
  const [key, salt] = [Buffer.from(masterKey), Buffer.from(masterSalt)]
  const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt }
  const session = new SrtpSession({ keys, profile: weriftProfiles[suite] ?? 1 })
  const header = new RtpHeader({ version: 2, payloadType: 0, ssrc: 0x1234, sequenceNumber: 0, timestamp: 0 })
  return { session, header, payload: randomBytes(payloadBytes) }
}

function theirs(suite: SrtpSuiteName): Contestant {
  const { session, header, payload } = weriftSession(suite)
  return {
    name: 'werift',
    does: 'SrtpSession.encrypt',
    run: () => {
      header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff
      return checked(session.encrypt(payload, header).length > packetBytes)
    },
  }
}

function theirsBothWays(suite: SrtpSuiteName): Contestant {
  const { session, header, payload } = weriftSession(suite)
  return {
    name: 'werift',
    does: 'encrypt, decrypt',
    run: () => {
      header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff
      return checked(session.decrypt(session.encrypt(payload, header)).length === packetBytes)
    },
  }
}

/** What cannot be saved: nothing is read, nothing is written, nothing is compared. */
function reference(): Contestant {
  const cipher = createCipheriv('aes-128-ecb', randomBytes(16), null)
  cipher.setAutoPadding(false)
  const counters = randomBytes(blocksOfPayload * 16)
  const text = randomBytes(blocksOfHash * 64)
  const state = new Int32Array(5)
  return {
    name: 'reference',
    does: 'one ECB call for 11 blocks, 4 compressions of SHA-1 in a loop',
    run: () => {
      const stream = cipher.update(counters)
      for (let block = 0; block < blocksOfHash; block++) compressInLoop(state, text, block * 64)
      return checked(stream.length === counters.length)
    },
  }
}

function checked(isRight: boolean): true {
  if (!isRight) throw new Error('the packet was not done')
  return true
}
