import { parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { defaultLocateLimits } from '../limits'
import type { DnsAnswer } from '../ports'
import { SeededRandom } from '../testing/seeded-random'
import { locateGoal } from './plan'
import { type DnsFact, keyOf, type LocateEffect, Resolution } from './resolution'

type Answers = Readonly<Record<string, readonly unknown[] | 'failed' | 'timeout'>>

const naptr = (order: number, service: string, replacement: string) => ({
  order,
  preference: 1,
  flags: 's',
  service,
  regexp: '',
  replacement,
})
const srv = (priority: number, target: string, port = 5060) => ({ priority, weight: 0, port, target })

function begin(text: string, options: { families?: readonly (4 | 6)[]; transports?: readonly string[] } = {}) {
  const transports = options.transports ?? ['UDP', 'TCP', 'TLS']
  const parsed = parseUri(text)
  if (!parsed.ok) throw new Error(text)
  const goal = locateGoal(parsed.value, transports)
  if (goal === 'unsupported' || goal.kind === 'address') throw new Error('nothing to look up')
  const random = new SeededRandom(1)
  const fraction = () => random.fraction()
  const families = options.families ?? [4]
  return new Resolution(goal, { transports, families, limits: defaultLocateLimits, fraction })
}

const factOf = (kind: string, name: string, answer: unknown) => ({ kind, name, answer }) as unknown as DnsFact

/** Runs a resolution over canned answers; what is not in them is not found. `last` answers each batch backwards. */
function run(resolution: Resolution, answers: Answers, backwards = false): { asked: string[]; result: string[] } {
  const asked: string[] = []
  let result: string[] = []
  const out: LocateEffect[] = []
  resolution.start(out)
  while (out.length > 0) {
    const batch = out.splice(0)
    if (backwards) batch.reverse()
    for (const effect of batch) {
      if (effect.kind === 'failed') result = [effect.reason]
      else if (effect.kind === 'located') {
        result = effect.candidates.map(({ address, serverName }) => {
          const name = serverName === undefined ? '' : ` as ${serverName}`
          return `${address.transport} ${address.address} ${address.port}${name}`
        })
      } else {
        const key = keyOf(effect.question)
        asked.push(key)
        const given = answers[key]
        const answer: DnsAnswer<unknown> =
          given === undefined
            ? { kind: 'not-found' }
            : typeof given === 'string'
              ? { kind: given }
              : { kind: 'found', records: given }
        resolution.answer(factOf(effect.question.kind, effect.question.name, answer), out)
      }
    }
  }
  return { asked, result }
}

describe('Resolution', () => {
  it('RFC 3263 §4.1: NAPTR leads to SRV, SRV to addresses; the certificate is for the domain asked for', () => {
    const answers = {
      'naptr example.com': [
        naptr(1, 'SIPS+D2T', '_sips._tcp.example.net'),
        naptr(2, 'SIP+D2U', '_sip._udp.example.net'),
      ],
      'srv _sips._tcp.example.net': [srv(2, 'b.example.net', 5071), srv(1, 'a.example.net', 5061)],
      'a a.example.net': ['192.0.2.1'],
      'a b.example.net': ['192.0.2.2', '192.0.2.3'],
    }
    expect(run(begin('sip:x@example.com'), answers)).toEqual({
      asked: ['naptr example.com', 'srv _sips._tcp.example.net', 'a a.example.net', 'a b.example.net'],
      result: [
        'TLS 192.0.2.1 5061 as example.com',
        'TLS 192.0.2.2 5071 as example.com',
        'TLS 192.0.2.3 5071 as example.com',
      ],
    })
  })

  it('RFC 3263 §4.1: without NAPTR the SRV records of each transport, UDP before TCP', () => {
    const answers = {
      'srv _sip._udp.example.com': [srv(1, 'u.example.com', 5070)],
      'srv _sip._tcp.example.com': [srv(1, 't.example.com', 5080)],
      'a u.example.com': ['192.0.2.1'],
      'a t.example.com': ['192.0.2.2'],
    }
    for (const backwards of [false, true]) {
      expect(run(begin('sip:example.com'), answers, backwards).result).toEqual([
        'UDP 192.0.2.1 5070',
        'TCP 192.0.2.2 5080',
      ])
    }
  })

  it('RFC 3263 §4.2: without SRV the addresses of the name at the default port', () => {
    const answers = { 'a example.com': ['192.0.2.1'] }
    expect(run(begin('sip:example.com'), answers).result).toEqual(['UDP 192.0.2.1 5060'])
    expect(run(begin('sip:example.com;transport=tcp'), answers).result).toEqual(['TCP 192.0.2.1 5060'])
    expect(run(begin('sips:example.com'), answers).result).toEqual(['TLS 192.0.2.1 5061 as example.com'])
    expect(run(begin('sip:example.com:5090'), answers).asked).toEqual(['a example.com'])
  })

  it('RFC 2782: a service that is decidedly not there is not looked for at the address of the domain', () => {
    const absent = [srv(0, '.', 0)]
    const answers = { 'srv _sip._udp.example.com': absent, 'a example.com': ['192.0.2.1'] }
    expect(run(begin('sip:example.com'), answers).result).toEqual(['not-found'])
    const other = { ...answers, 'srv _sip._tcp.example.com': [srv(1, 'example.com')] }
    expect(run(begin('sip:example.com'), other).result).toEqual(['TCP 192.0.2.1 5060'])
  })

  it('RFC 6724, RFC 7984: families in turn, IPv6 first, and only those that the stack has sockets of', () => {
    const answers = {
      'a example.com': ['192.0.2.1', '192.0.2.2'],
      'aaaa example.com': ['2001:db8::1'],
    }
    const text = 'sip:example.com:5060'
    expect(run(begin(text, { families: [4, 6] }), answers).result).toEqual([
      'UDP 2001:db8::1 5060',
      'UDP 192.0.2.1 5060',
      'UDP 192.0.2.2 5060',
    ])
    expect(run(begin(text, { families: [6] }), answers)).toEqual({
      asked: ['aaaa example.com'],
      result: ['UDP 2001:db8::1 5060'],
    })
  })

  it('goes on where a question fails, and says that it failed when nothing is found in the end', () => {
    const broken: Answers = { 'naptr example.com': 'failed', 'srv _sip._udp.example.com': 'timeout' }
    expect(run(begin('sip:example.com'), { ...broken, 'a example.com': ['192.0.2.1'] }).result).toEqual([
      'UDP 192.0.2.1 5060',
    ])
    expect(run(begin('sip:example.com'), broken).result).toEqual(['lookup-failed'])
    expect(run(begin('sip:example.com'), {}).result).toEqual(['not-found'])
  })

  it('asks for no name twice, and for none that is no name', () => {
    const answers = {
      'srv _sip._tcp.example.com': [srv(1, 'a.example.com', 5061), srv(2, 'A.example.com', 5062), srv(3, 'x y', 1)],
      'a a.example.com': ['192.0.2.1', '192.0.2.1'],
    }
    const { asked, result } = run(begin('sip:example.com;transport=tcp'), answers)
    expect(asked).toEqual(['srv _sip._tcp.example.com', 'a a.example.com'])
    expect(result).toEqual(['TCP 192.0.2.1 5061', 'TCP 192.0.2.1 5062'])
  })

  it('is bounded: 10 000 records make no more questions or candidates than the limits say', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => srv(index % 3, `h${index}.example.com`))
    const answers: Record<string, readonly unknown[]> = { 'srv _sip._tcp.example.com': many }
    for (let index = 0; index < 10_000; index += 1) {
      answers[`a h${index}.example.com`] = Array.from(
        { length: 20 },
        (_, host) => `10.${index >> 8}.${index & 255}.${host}`,
      )
    }
    const { asked, result } = run(begin('sip:example.com;transport=tcp'), answers)
    expect(asked).toHaveLength(1 + defaultLocateLimits.srvTargetsMax)
    expect(result).toHaveLength(defaultLocateLimits.candidatesMax)
  })

  it('answers that nobody asked for, that come twice or come late change nothing', () => {
    const resolution = begin('sip:example.com:5060')
    const out: LocateEffect[] = []
    resolution.start(out)
    resolution.start(out)
    expect(out).toHaveLength(1)
    resolution.answer(factOf('a', 'other.example', { kind: 'found', records: ['192.0.2.9'] }), out)
    resolution.answer(factOf('aaaa', 'example.com', { kind: 'found', records: ['::9'] }), out)
    expect(resolution.isDone).toBe(false)
    resolution.answer(factOf('a', 'example.com', { kind: 'found', records: ['192.0.2.1'] }), out)
    resolution.answer(factOf('a', 'example.com', { kind: 'found', records: ['192.0.2.2'] }), out)
    resolution.giveUp(out)
    expect(out.filter(({ kind }) => kind !== 'ask')).toHaveLength(1)
    expect(resolution.isDone).toBe(true)
  })

  it('given up for lack of time, it ends with the addresses that have come', () => {
    const resolution = begin('sip:example.com:5060', { families: [4, 6] })
    const out: LocateEffect[] = []
    resolution.start(out)
    resolution.answer(factOf('a', 'example.com', { kind: 'found', records: ['192.0.2.1'] }), out)
    resolution.giveUp(out)
    expect(out.at(-1)?.kind).toBe('located')
    const empty = begin('sip:example.com')
    const nothing: LocateEffect[] = []
    empty.start(nothing)
    empty.giveUp(nothing)
    expect(nothing.at(-1)).toEqual({ kind: 'failed', reason: 'lookup-failed' })
  })
})
