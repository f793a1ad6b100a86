import { describe, expect, it } from 'vitest'
import { type RawPeer, Scenario } from '../fixtures/scenario'
import type { IncomingRequest } from '../requests/incoming-request'

/** A raw peer calls, says where it wants to be reached, and is hung up on: where does the BYE go? */
async function byeAfter(
  raw: RawPeer,
  scenario: Scenario,
  contact: string,
  more: readonly string[] = [],
): Promise<string> {
  const stack = scenario.stacks[0]!
  const invites: IncomingRequest[] = []
  stack.method('INVITE', (request) => {
    invites.push(request)
  })
  const head = (method: string, to: string) => [
    `${method} sip:x@10.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK${method};rport`,
    ...more,
    `From: <sip:raw@${raw.address}>;tag=r1`,
    `To: ${to}`,
    'Call-ID: hop',
    `CSeq: 1 ${method}`,
    `Contact: ${contact}`,
    'Content-Length: 0',
  ]
  raw.send('10.0.0.1', head('INVITE', '<sip:x@10.0.0.1>'))
  await scenario.pass(10)
  const accepting = invites[0]!.accept({ sdp: 'v=0\r\n' })
  await scenario.pass(10)
  const to = /^To: (.*)\r$/m.exec(raw.received.at(-1)!)![1]!
  raw.send('10.0.0.1', head('ACK', to))
  const call = await scenario.settle(accepting)
  scenario.ladder.length = 0
  void call.bye()
  await scenario.pass(10)
  return scenario.ladder[0] ?? 'nothing'
}

async function world() {
  const scenario = new Scenario()
  await scenario.stack('stack')
  return { scenario, raw: await scenario.raw('raw'), other: await scenario.raw('other') }
}

describe('PeerHop', () => {
  it('RFC 3261 §12.2.1.1: follows the Contact when it names the address heard', async () => {
    const { scenario, raw } = await world()
    expect(await byeAfter(raw, scenario, `<sip:raw@${raw.address}:5060>`)).toBe('stack>raw BYE')
  })

  it('answers a peer without proxies between where it was heard, when its Contact names another place', async () => {
    const { scenario, raw } = await world()
    expect(await byeAfter(raw, scenario, '<sip:raw@192.168.7.7:5060>')).toBe('stack>raw BYE')
  })

  it('follows the Contact when the request came through a proxy that does not stay in the way', async () => {
    const { scenario, raw, other } = await world()
    const via = ['Via: SIP/2.0/UDP phone.example;branch=z9hG4bKphone']
    expect(await byeAfter(raw, scenario, `<sip:raw@${other.address}:5060>`, via)).toBe('stack>other BYE')
  })

  it('follows the route set, whatever the Contact says', async () => {
    const { scenario, raw, other } = await world()
    const route = [`Record-Route: <sip:${other.address}:5060;lr>`]
    expect(await byeAfter(raw, scenario, `<sip:raw@${raw.address}:5060>`, route)).toBe('stack>other BYE')
  })
})
