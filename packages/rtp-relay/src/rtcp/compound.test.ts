import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { receiverReport, senderReport } from '../testing/packets'
import { type ReportSink, readReports } from './compound'
import { classify, packetKinds } from './demux'

function read(packet: Uint8Array): { isWhole: boolean; reports: number[][] } {
  const reports: number[][] = []
  const sink: ReportSink = {
    senderReport: (...values) => void reports.push(values),
    reportBlock: (...values) => void reports.push(values),
  }
  return { isWhole: readReports(packet, packet.length, sink), reports }
}

describe('RTCP compound packets', () => {
  it('RFC 3550 §6.1: are read report by report', () => {
    const packet = Buffer.concat([senderReport(0xaabb_ccdd), receiverReport(0xfedc_ba98, 0x8000_0001, 200)])
    const { isWhole, reports } = read(packet)
    expect(isWhole).toBe(true)
    expect(reports).toEqual([
      [0xcafe, 0xaabb_ccdd],
      [0xbeef, 0xcafe, 200, 0, 0, 0xfedc_ba98, 0x8000_0001],
    ])
  })

  it('give a negative cumulative loss its sign', () => {
    const packet = receiverReport(1, 1)
    packet.writeUIntBE(0xff_fffe, 13, 3)
    expect(read(packet).reports[0]?.[3]).toBe(-2)
  })

  it('are refused when they promise 31 blocks and hold one', () => {
    const packet = receiverReport(1, 1)
    packet[0] = 0x9f
    expect(read(packet)).toEqual({ isWhole: false, reports: [] })
  })

  it('RFC 3550 §6.6: are whole with a goodbye of nobody, which is a header alone', () => {
    const packet = Buffer.concat([Buffer.from([0x80, 203, 0, 0]), receiverReport(1, 2)])
    expect(read(packet).isWhole).toBe(true)
    expect(read(packet).reports).toHaveLength(1)
  })

  it('RFC 3550 §6.4.1: are padded at the end alone, and padding holds no block', () => {
    const padded = receiverReport(0, 4)
    padded[0] = 0xa1
    expect(read(padded)).toEqual({ isWhole: false, reports: [] })
    padded[0] = 0xa0
    expect(read(padded)).toEqual({ isWhole: true, reports: [] })
    expect(read(Buffer.concat([padded, receiverReport(1, 2)]))).toEqual({ isWhole: false, reports: [] })
    for (const size of [0, 3, 32, 255]) {
      padded[31] = size
      expect(read(padded)).toEqual({ isWhole: false, reports: [] })
    }
    padded[31] = 28
    expect(read(padded)).toEqual({ isWhole: false, reports: [] })
  })

  it('RFC 3550 §6.1: are walked up to the given length, whatever the buffer holds after it', () => {
    const packet = senderReport(7)
    const buffer = Buffer.concat([packet, receiverReport(8, 9)])
    const reports: number[][] = []
    const sink: ReportSink = {
      senderReport: (...values) => void reports.push(values),
      reportBlock: (...values) => void reports.push(values),
    }
    expect(readReports(buffer, packet.length, sink)).toBe(true)
    expect(reports).toEqual([[0xcafe, 7]])
    expect(readReports(buffer, packet.length + 2, sink)).toBe(false)
  })

  it('are read without harm cut at every length and with any byte changed', () => {
    const packet = Buffer.concat([senderReport(7), receiverReport(8, 9)])
    for (let size = 0; size < packet.length; size++) read(packet.subarray(0, size))
    for (let at = 0; at < packet.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(packet)
        changed[at] = value
        expect(read(changed).reports.length).toBeLessThan(5)
      }
    }
  })
})

describe('demultiplexing', () => {
  it.each([
    ['RFC 5761 §4: sender report', [0x80, 200], packetKinds.RTCP],
    ['RFC 5761 §4: payload-specific feedback', [0x81, 206], packetKinds.RTCP],
    ['RTP, type 0', [0x80, 0], packetKinds.RTP],
    ['RTP, type 96 with marker', [0x80, 224], packetKinds.RTP],
    ['RFC 7983: DTLS', [22, 254], packetKinds.DTLS],
    ['RFC 7983: STUN', [0, 1], packetKinds.STUN],
    ['version 1', [0x50, 0], packetKinds.GARBAGE],
    ['text', [0x53, 0x49], packetKinds.GARBAGE],
  ])('%s', (_name, [first = 0, second = 0], kind) => {
    expect(classify(Buffer.from([first, second, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe(kind)
  })

  it('takes what is too short for anything as garbage', () => {
    expect(classify(Buffer.from([0x80, 200]))).toBe(packetKinds.GARBAGE)
    expect(classify(Buffer.alloc(0))).toBe(packetKinds.GARBAGE)
  })
})
