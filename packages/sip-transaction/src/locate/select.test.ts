import { describe, expect, it } from 'vitest'
import type { NaptrRecord, SrvRecord } from '../ports'
import { SeededRandom } from '../testing/seeded-random'
import { isServiceAbsent, orderServers, selectServices, usableName } from './select'

const naptr = (order: number, preference: number, service: string, replacement: string, more = {}): NaptrRecord => ({
  order,
  preference,
  flags: 's',
  service,
  regexp: '',
  replacement,
  ...more,
})
const srv = (priority: number, weight: number, target: string, port = 5060): SrvRecord => ({
  priority,
  weight,
  port,
  target,
})
const all = ['UDP', 'TCP', 'TLS', 'WSS']
const names = (records: readonly NaptrRecord[], transports = all, isSecure = false) =>
  selectServices(records, transports, isSecure).map(({ name, transport }) => `${transport} ${name}`)

describe('selectServices', () => {
  it('RFC 3263 §4.1: by order, then preference, only services that the stack has', () => {
    const records = [
      naptr(50, 60, 'SIP+D2S', '_sip._sctp.example.com'),
      naptr(50, 50, 'SIPS+D2T', '_sips._tcp.example.com'),
      naptr(50, 40, 'sip+d2u', '_SIP._udp.example.com.', { flags: 'S' }),
      naptr(50, 70, 'E2U+sip', '_sip._udp.example.com'),
    ]
    expect(names(records)).toEqual(['UDP _sip._udp.example.com', 'TLS _sips._tcp.example.com'])
    expect(names(records, ['TCP'])).toEqual([])
  })

  it('RFC 3403 §4.1: nothing of a higher order once a lower one has a match', () => {
    const records = [naptr(20, 1, 'SIP+D2U', 'b.example'), naptr(10, 9, 'SIP+D2T', 'a.example')]
    expect(names(records)).toEqual(['TCP a.example'])
    expect(names(records, ['UDP'])).toEqual(['UDP b.example'])
  })

  it('RFC 3263 §4.1: a sips URI takes SIPS services only', () => {
    const records = [naptr(1, 1, 'SIP+D2U', 'a.example'), naptr(1, 2, 'SIPS+D2T', 'b.example')]
    expect(names(records, all, true)).toEqual(['TLS b.example'])
    expect(names([naptr(1, 1, 'SIPS+D2W', 'c.example')], all, true)).toEqual(['WSS c.example'])
  })

  it('leaves out expressions, other flags, and names that are none', () => {
    const wrong = [
      naptr(1, 1, 'SIP+D2U', 'a.example', { regexp: '!^.*$!sip:x@example.com!' }),
      naptr(1, 1, 'SIP+D2U', 'a.example', { flags: 'u' }),
      naptr(1, 1, 'SIP+D2U', 'a.example', { flags: '' }),
      naptr(1, 1, 'SIP+D2U', '.'),
      naptr(1, 1, 'SIP+D2U', 'a b.example'),
      naptr(1, 1, 'SIP+D2U', `${'x.'.repeat(200)}example`),
    ]
    expect(names(wrong)).toEqual([])
  })
})

describe('orderServers', () => {
  const order = (records: readonly SrvRecord[], random = new SeededRandom(1), atMost = 16) =>
    orderServers(records, atMost, () => random.fraction()).map(({ host }) => host)

  it('RFC 2782: every server of a lower priority comes before those of a higher one', () => {
    const records = [
      srv(20, 100, 'c.example'),
      srv(10, 0, 'a.example'),
      srv(10, 100, 'b.example'),
      srv(30, 0, 'd.example'),
    ]
    for (let seed = 1; seed < 50; seed += 1) {
      const found = order(records, new SeededRandom(seed))
      expect(found.slice(0, 2).sort()).toEqual(['a.example', 'b.example'])
      expect(found.slice(2)).toEqual(['c.example', 'd.example'])
    }
  })

  it('RFC 2782: the first server is chosen in proportion to its weight, and weight 0 rarely but not never', () => {
    const random = new SeededRandom(7)
    const records = [srv(1, 60, 'a.example'), srv(1, 30, 'b.example'), srv(1, 10, 'c.example'), srv(1, 0, 'd.example')]
    const first = new Map<string, number>()
    for (let round = 0; round < 20_000; round += 1) {
      const [host = ''] = order(records, random)
      first.set(host, (first.get(host) ?? 0) + 1)
    }
    expect(first.get('a.example')! / 20_000).toBeCloseTo(0.6, 1)
    expect(first.get('b.example')! / 20_000).toBeCloseTo(0.3, 1)
    expect(first.get('c.example')! / 20_000).toBeCloseTo(0.1, 1)
    expect(first.get('d.example')!).toBeGreaterThan(50)
    expect(first.get('d.example')!).toBeLessThan(600)
  })

  it('spreads servers without weights evenly, and the second choice by weight too', () => {
    const random = new SeededRandom(3)
    const equal = [srv(1, 0, 'a.example'), srv(1, 0, 'b.example'), srv(1, 0, 'c.example')]
    const counts = { a: 0, b: 0, c: 0 }
    for (let round = 0; round < 3000; round += 1) counts[order(equal, random)[0]![0] as 'a' | 'b' | 'c'] += 1
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(850)
    const second = { b: 0, c: 0 }
    const weighted = [srv(1, 1000, 'a.example'), srv(1, 90, 'b.example'), srv(1, 10, 'c.example')]
    for (let round = 0; round < 3000; round += 1) {
      const [one, two] = order(weighted, random)
      if (one === 'a.example') second[two![0] as 'b' | 'c'] += 1
    }
    expect(second.b / (second.b + second.c)).toBeCloseTo(0.9, 1)
  })

  it('leaves out records without a host or a port, and stops at the cap of a huge answer', () => {
    expect(order([srv(1, 1, '.'), srv(1, 1, 'a.example', 0), srv(1, 1, 'b.example', 65_536)])).toEqual([])
    const huge = Array.from({ length: 10_000 }, (_, index) => srv(index % 5, index % 7, `h${index}.example`))
    expect(order(huge)).toHaveLength(16)
  })

  it('takes addresses that stand where names should', () => {
    expect(order([srv(1, 1, '192.0.2.1')])).toEqual(['192.0.2.1'])
    expect(order([srv(1, 1, '2001:db8::1')])).toEqual(['2001:db8::1'])
  })

  it('RFC 2782: a single record that names the root says that the service is not there', () => {
    expect(isServiceAbsent([srv(0, 0, '.', 0)])).toBe(true)
    expect(isServiceAbsent([srv(0, 0, '', 0)])).toBe(true)
    expect(isServiceAbsent([srv(0, 0, 'a.example')])).toBe(false)
    expect(isServiceAbsent([])).toBe(false)
  })
})

describe('usableName', () => {
  it('is a domain name in lower case without its dot', () => {
    expect(usableName('SIP.Example.COM.')).toBe('sip.example.com')
    expect(usableName('_sip._udp.example.com')).toBe('_sip._udp.example.com')
    for (const wrong of ['', '.', 'a..b', 'a b', 'a/b', '[::1]', 'x'.repeat(254)])
      expect(usableName(wrong)).toBeUndefined()
  })
})
