/** What a registered contact costs, and that nothing stays when it is gone. */
import { parseMessage, SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { retainedBytes } from '../testing/retained-memory'
import { SeededRandom } from '../testing/seeded-random'
import { BindingTable } from './binding-table'

const count = 20_000
const bytesMax = 1.2 * 1024

/** As a phone sends it, in size and kind; parsed from bytes, so that text that is kept would keep its message. */
function request(number: number, flows: boolean): SipRequest {
  const uuid = `f81d4fae-7dec-11d0-a765-${String(number).padStart(12, '0')}`
  const parsed = parseMessage(
    Buffer.from(
      [
        'REGISTER sip:example.com SIP/2.0',
        `Via: SIP/2.0/TCP 10.1.2.3:49152;branch=z9hG4bK${number}.4d1c8a7e55f0;rport`,
        'Max-Forwards: 70',
        `From: "Extension ${number}" <sip:${number}@example.com>;tag=${number}a93f`,
        `To: <sip:${number}@example.com>`,
        `Call-ID: ${number}-8f3b22c0d5a94e1f@10.1.2.3`,
        'CSeq: 1 REGISTER',
        `Contact: <sip:${number}@10.1.2.3:49152;transport=tcp>${flows ? `;+sip.instance="<urn:uuid:${uuid}>";reg-id=1` : ''};expires=3600`,
        'Supported: path, outbound, gruu',
        'User-Agent: Deskphone 300/4.5.6',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    ),
  )
  if (!parsed.ok || !(parsed.message instanceof SipRequest)) throw new Error('not a request')
  return parsed.message
}

describe('memory of registered contacts', () => {
  it.each([
    ['plain', false],
    ['with outbound and GRUU', true],
  ] as const)('%s: at most 1.2 KB a contact, and nothing once they are gone', (name, flows) => {
    const gruu = { secret: new Uint8Array(32), random: new SeededRandom(1) }
    const table = new BindingTable(flows ? { gruu } : {})
    const fill = (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        const source = {
          transport: 'TCP',
          address: `10.1.${number >> 8}.${number & 255}`,
          port: 40_000,
          flowId: number,
        }
        const result = table.apply({ message: request(number, flows), source }, 0)
        if (result.status !== 200) throw new Error(`${result.status}`)
      }
    }
    fill(0, 200)
    table.expire(4_000_000, [])
    const before = retainedBytes()
    const startedMs = process.cpuUsage().user
    fill(1_000_000, 1_000_000 + count)
    const cpuUs = (process.cpuUsage().user - startedMs) / count
    const each = (retainedBytes() - before) / count
    console.log(
      `registered contact, ${name}: ${each.toFixed(0)} bytes, ${cpuUs.toFixed(1)} µs of CPU to parse and register`,
    )
    expect(table.size).toBe(count)
    expect(each).toBeLessThan(bytesMax)
    table.expire(4_000_000, [])
    expect([table.size, table.aorCount]).toEqual([0, 0])
    // A page or two of tables that shrink late is no leak.
    expect((retainedBytes() - before) / count).toBeLessThan(60)
  })
})
