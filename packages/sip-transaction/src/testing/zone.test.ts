import { describe, expect, it } from 'vitest'
import { FakeClock } from './fake-clock'
import { parseZone } from './zone'
import { ZoneResolver } from './zone-resolver'

const zone = `
$ORIGIN example.com.
$TTL 1h
@           IN SOA  ns.example.com. admin.example.com. ( 1 7200 ; serial, refresh
                    900 1209600 300 )
            IN NAPTR 10 20 "s" "SIP+D2U" "" _sip._udp
_sip._udp   60 IN SRV ( 1 5      ; priority and weight
                        5070 A )
a           IN 5m A 192.0.2.1
            AAAA 2001:db8::1
alias       CNAME a
loop        CNAME ring.example.com.
ring        CNAME loop
`

describe('parseZone', () => {
  it('RFC 1035 §5.1: origin, times to live, comments, parentheses, names left out', () => {
    expect(parseZone(zone)).toEqual([
      {
        name: 'example.com',
        ttlSeconds: 3600,
        data: {
          type: 'NAPTR',
          order: 10,
          preference: 20,
          flags: 's',
          service: 'SIP+D2U',
          regexp: '',
          replacement: '_sip._udp.example.com',
        },
      },
      {
        name: '_sip._udp.example.com',
        ttlSeconds: 60,
        data: { type: 'SRV', priority: 1, weight: 5, port: 5070, target: 'a.example.com' },
      },
      { name: 'a.example.com', ttlSeconds: 300, data: { type: 'A', address: '192.0.2.1' } },
      { name: 'a.example.com', ttlSeconds: 3600, data: { type: 'AAAA', address: '2001:db8::1' } },
      { name: 'alias.example.com', ttlSeconds: 3600, data: { type: 'CNAME', target: 'a.example.com' } },
      { name: 'loop.example.com', ttlSeconds: 3600, data: { type: 'CNAME', target: 'ring.example.com' } },
      { name: 'ring.example.com', ttlSeconds: 3600, data: { type: 'CNAME', target: 'loop.example.com' } },
    ])
  })

  it('refuses what it does not understand', () => {
    for (const line of ['a HINFO x y', 'a SRV 1 2 b', 'a SRV one 2 3 b', '$INCLUDE other', ' A 192.0.2.1', '$TTL soon'])
      expect(() => parseZone(line), line).toThrow('The zone has')
  })
})

describe('ZoneResolver', () => {
  it('follows aliases with the least time to live, and calls a circle of them failed', async () => {
    const resolver = new ZoneResolver({ zone })
    expect(await resolver.a('Alias.example.com')).toEqual({ kind: 'found', records: ['192.0.2.1'], ttlSeconds: 300 })
    expect(await resolver.a('loop.example.com')).toEqual({ kind: 'failed' })
    expect(await resolver.srv('a.example.com')).toEqual({ kind: 'not-found' })
    expect(resolver.questions).toEqual(['A alias.example.com', 'A loop.example.com', 'SRV a.example.com'])
  })

  it('fails, falls silent and takes its time as told', async () => {
    const clock = new FakeClock()
    const resolver = new ZoneResolver({ zone, clock })
    resolver.trouble('A', 'a.example.com', 'failed')
    expect(await resolver.a('a.example.com')).toEqual({ kind: 'failed' })
    resolver.trouble('A', 'a.example.com', 'reject')
    await expect(resolver.a('a.example.com')).rejects.toThrow()
    resolver.trouble('A', 'a.example.com', 'silent')
    const abort = new AbortController()
    const asking = resolver.a('a.example.com', abort.signal)
    abort.abort()
    expect(await asking).toEqual({ kind: 'timeout' })
    resolver.trouble('A', 'a.example.com', undefined)
    resolver.delay(500)
    let isAnswered = false
    const late = resolver.a('a.example.com').finally(() => {
      isAnswered = true
    })
    await clock.advance(499)
    expect(isAnswered).toBe(false)
    await clock.advance(1)
    expect((await late).kind).toBe('found')
  })
})
