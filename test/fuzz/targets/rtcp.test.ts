/** Faults that are put into the reader of RTCP, its writer and the walk: the target finds each of them. */
import { readRtcp, writeRtcp } from '@carillon/rtp-relay'
import { describe, expect, it } from 'vitest'
import { readReports } from '../../../packages/rtp-relay/src/rtcp/compound'
import { Fuzzer } from '../engine/fuzzer.ts'
import { type RtcpReader, rtcpTarget } from './rtcp.ts'

const casesMax = 20_000
const sound: RtcpReader = { readRtcp, readReports, writeRtcp }

const faults: readonly (readonly [string, Partial<RtcpReader>, RegExp])[] = [
  [
    'a reader that throws at a padded packet',
    {
      readRtcp: (bytes, options) => {
        if (((bytes[0] ?? 0) & 0x20) !== 0) throw new TypeError('padded')
        return readRtcp(bytes, options)
      },
    },
    /^throws TypeError padded/,
  ],
  [
    'a reader that asks for a report where reduced size was agreed',
    { readRtcp: (bytes) => readRtcp(bytes) },
    /^any packet may come first/,
  ],
  [
    'a reader that never asks for a report',
    { readRtcp: (bytes) => readRtcp(bytes, { reducedSize: true }) },
    /^reduced size changes nothing/,
  ],
  [
    'a reader that points beyond the input',
    {
      readRtcp: (bytes, options) => {
        const read = readRtcp(bytes, options)
        return read.ok ? read : { ...read, offset: bytes.length + 1 }
      },
    },
    /^a fault points into the input/,
  ],
  [
    'a reader that changes the input',
    {
      readRtcp: (bytes, options) => {
        const read = readRtcp(bytes, options)
        bytes[0] = (bytes[0] ?? 0) & 0xdf
        return read
      },
    },
    /^(the input is left alone|reduced size)/,
  ],
  [
    'a writer that forgets the last packet',
    { writeRtcp: (packets) => writeRtcp(packets.length > 2 ? packets.slice(0, -1) : packets) },
    /^what was written reads back/,
  ],
  [
    'a writer that cuts numbers down',
    {
      writeRtcp: (packets) => {
        try {
          return writeRtcp(packets)
        } catch {
          return new Uint8Array(8)
        }
      },
    },
    /^a value that no field holds/,
  ],
  [
    'a walk that stops at the first packet',
    { readReports: (packet, _length, sink) => readReports(packet, ((packet[3] ?? 0) + 1) * 4, sink) },
    /^(the walk|what follows)/,
  ],
  [
    'a walk that goes on beyond the end',
    { readReports: (packet, length, sink) => readReports(packet, length + 4, sink) },
    /^(the walk|what follows)/,
  ],
]

describe('the target for RTCP', () => {
  it.each(faults)('finds %s', (_name, fault, oracle) => {
    const fuzzer = new Fuzzer(rtcpTarget({ ...sound, ...fault }), { seed: 7 })
    for (let left = casesMax; left > 0; left -= 1) {
      const failure = fuzzer.step()
      if (failure !== undefined) return expect(failure.oracle).toMatch(oracle)
    }
    return expect.fail('nothing was found')
  })

  it('keeps every kind of packet in mind', () => {
    const fuzzer = new Fuzzer(rtcpTarget(), { seed: 7 })
    for (let left = 2_000; left > 0; left -= 1) expect(fuzzer.step()).toBeUndefined()
    expect(fuzzer.progress.features).toBeGreaterThan(60)
  })
})
