import { describe, expect, it } from 'vitest'
import { answered, bobUri, call, drained, proxyAddress, sdp, world } from '../fixtures/proxy-scenario'
import { Scenario } from '../fixtures/scenario'

/** A request as text, for what no stack would send. */
function lines(method: string, uri: string, extra: readonly string[] = [], toTag = ''): string[] {
  return [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bKraw1',
    'From: <sip:raw@10.0.1.1>;tag=raw',
    `To: <sip:bob@example.com>${toTag}`,
    'Call-ID: raw-call',
    `CSeq: 1 ${method}`,
    'Contact: <sip:raw@10.0.1.1>',
    ...extra,
    'Content-Length: 0',
  ]
}

const statuses = (received: readonly string[]) => received.map((text) => Number(text.slice(8, 11)))

describe('bad input of a proxy', () => {
  it('RFC 3261 §16.3: refuses loops with 482, Max-Forwards 0 with 483, Proxy-Require with 420, and passes Require', async () => {
    const w = await world('sip:again@10.0.0.2', {})
    await expect(w.scenario.settle(call(w))).rejects.toMatchObject({ status: 482 })
    const raw = await w.scenario.raw('raw')
    raw.send('10.0.0.2', lines('MESSAGE', 'sip:bob@example.com', ['Max-Forwards: 0']))
    await w.scenario.pass(10)
    raw.send('10.0.0.2', lines('INFO', 'sip:bob@example.com', ['Proxy-Require: foo, bar']))
    await w.scenario.pass(10)
    expect(statuses(raw.received)).toEqual([483, 420])
    expect(raw.received[1]).toContain('Unsupported: foo, bar')
    const passing = await world()
    const asking = call(passing, { headers: [['Require', 'foo']] })
    await expect(passing.scenario.settle(asking)).rejects.toMatchObject({ status: 420 })
    expect(passing.scenario.ladder).toContain('bob>proxy 420 INVITE')
  })

  it('RFC 5393 §3: a spiral is no loop: the same call comes again for another user', async () => {
    const w = await world()
    const chain: Record<string, string> = { 'sip:bob@example.com': 'sip:desk@10.0.0.2', 'sip:desk@10.0.0.2': bobUri }
    const spiral = await w.scenario.stack('spiral', { proxy: true })
    const hops: string[] = []
    spiral.method('INVITE', (request) => {
      hops.push(request.uri.toString())
      const next = chain[request.uri.toString().replace('10.0.0.5', '10.0.0.2')] ?? bobUri
      return request.proxy(next.replace('10.0.0.2', '10.0.0.5'), { recordRoute: true })
    })
    const calling = call(w, { destination: { ...proxyAddress, address: '10.0.0.5' } })
    await w.scenario.pass(50)
    expect(hops).toEqual(['sip:bob@example.com', 'sip:desk@10.0.0.5'])
    const [a] = await w.scenario.settle(Promise.all([calling, w.invites[0]!.accept({ sdp })]))
    // Twice on the way: both Record-Routes are ours, and one pass is enough.
    await w.scenario.settle(a.bye())
    expect(w.scenario.ladder.filter((line) => line.endsWith('BYE'))).toEqual(
      expect.arrayContaining(['alice>spiral BYE', 'spiral>bob BYE']),
    )
  })

  it('RFC 5393 §3: a loop that changes its Request-URI each time ends by Max-Forwards', async () => {
    const w = await world()
    const loop = await w.scenario.stack('loop', { proxy: true })
    let count = 0
    loop.method('MESSAGE', (request) => {
      count += 1
      return request.proxy(`sip:x${count}@10.0.0.5`)
    })
    const destination = { ...proxyAddress, address: '10.0.0.5' }
    const ask = w.alice.request({ method: 'MESSAGE', uri: 'sip:x@10.0.0.5', destination })
    const response = await w.scenario.settle(ask)
    expect([response.status, count]).toEqual([483, 71])
    expect(loop.stats().proxied).toBe(0)
  })

  it('RFC 5393 §5.3.3: 100 forks of 100 never have more than 60 branches open', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const fork = await scenario.stack('fork', { proxy: true })
    // An end would refuse a second copy as merged (RFC 3261 §8.2.2.2).
    const leaf = await scenario.stack('leaf', { proxy: true })
    let open = 0
    let most = 0
    let handled = 0
    fork.method('MESSAGE', (request) => {
      const level = request.uri.toString().split('@')[0]!.split('-').length
      const host = level < 2 ? '10.0.0.2' : '10.0.0.3'
      const targets = Array.from(
        { length: 100 },
        (_, index) => `${request.uri.toString().split('@')[0]}-${index}@${host}`,
      )
      return request.proxy(targets, { mode: 'parallel' })
    })
    leaf.method('MESSAGE', async (request) => {
      open += 1
      handled += 1
      most = Math.max(most, open)
      await new Promise<void>((resolve) => scenario.clock.schedule(scenario.clock.monotonicMs() + 5, resolve))
      open -= 1
      request.reply(404)
    })
    const ask = alice.request({ method: 'MESSAGE', uri: 'sip:all@10.0.0.2' })
    const response = await scenario.settle(ask)
    expect(response.status).toBe(404)
    expect(handled).toBe(10_000)
    expect(most).toBeLessThanOrEqual(60)
    await scenario.pass(100_000)
    expect(fork.stats()).toMatchObject({ proxied: 0, requests: 0, transactions: 0 })
  }, 30_000)

  it('Route headers that name us three times are taken away, and what they hide is not followed by force', async () => {
    const w = await world()
    const raw = await w.scenario.raw('raw')
    const us = '<sip:10.0.0.2;lr>'
    raw.send(
      '10.0.0.2',
      lines('MESSAGE', 'sip:bob@example.com', [`Route: ${us}, ${us}`, `Route: ${us}`, `Route: <sip:10.0.0.4;lr>`]),
    )
    await w.scenario.pass(20)
    expect(w.scenario.ladder).toContain('proxy>carol MESSAGE')
    expect(w.scenario.ladder.filter((line) => line.startsWith('proxy>proxy'))).toEqual([])
  })

  it('RFC 3261 §26: a forged Record-Route mark, or one of another dialog, forwards nothing', async () => {
    const w = await world()
    const seen: string[] = []
    w.bob.on('messageIn', ({ bytes }) => seen.push(Buffer.from(bytes).toString()))
    const { a } = await answered(w)
    const mark = /Record-Route: (<[^>]*>)/.exec(seen[0] ?? '')?.[1] ?? ''
    expect(mark).toContain(';lr;rr=')
    const raw = await w.scenario.raw('raw')
    const before = w.scenario.ladder.length
    for (const route of [mark, mark.replace(/rr=.*>/, 'rr=.AAAAAAAAAAAAAAAA>'), '<sip:10.0.0.2;lr>']) {
      for (const method of ['BYE', 'ACK']) {
        const text = lines(method, bobUri, [`Route: ${route}`], ';tag=x')
        raw.send('10.0.0.2', [
          ...text.slice(0, 1),
          `Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bK${w.scenario.ladder.length}`,
          ...text.slice(2),
        ])
        await w.scenario.pass(10)
      }
    }
    expect(statuses(raw.received)).toEqual([481, 481, 481])
    expect(w.scenario.ladder.slice(before).filter((line) => line.startsWith('proxy>bob'))).toEqual([])
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('a malformed Route, Max-Breadth or Via of another gives 400, and a response without our caller in it 502', async () => {
    const w = await world()
    const raw = await w.scenario.raw('raw')
    const bad = ['Route: <<sip:x', 'Max-Breadth: many']
    for (const [index, line] of bad.entries()) {
      const text = lines('MESSAGE', 'sip:bob@example.com', [line])
      raw.send(
        '10.0.0.2',
        text.map((each) => each.replace('raw1', `raw${index}`).replace('raw-call', `raw-${index}`)),
      )
      await w.scenario.pass(10)
    }
    expect(statuses(raw.received)).toEqual([400, 400])
    const w2 = await world('sip:x@10.0.1.1')
    const peer = await w2.scenario.raw('peer')
    const asking = w2.alice.request({ method: 'MESSAGE', uri: 'sip:bob@example.com', destination: proxyAddress })
    await w2.scenario.pass(10)
    const sent = peer.received[0]!.split('\r\n')
    const headers = sent.filter((line) => /^(From|To|Call-ID|CSeq):/.test(line))
    peer.send('10.0.0.2', ['SIP/2.0 200 OK', sent.find((line) => line.startsWith('Via:'))!, ...headers])
    const response = await w2.scenario.settle(asking)
    expect(response.status).toBe(502)
  })

  it('RFC 6026 §7.3: responses that nobody waits for are dropped, not forwarded', async () => {
    const w = await world()
    const raw = await w.scenario.raw('raw')
    raw.send('10.0.0.2', [
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKguess~.x',
      'Via: SIP/2.0/UDP 10.0.0.4;branch=z9hG4bKvictim',
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>;tag=2',
      'Call-ID: c',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
    ])
    await w.scenario.pass(10)
    expect(w.scenario.ladder).toEqual(['raw>proxy 200 INVITE'])
    expect(w.proxy.stats().counters.dropped['stray-response']).toBe(1)
  })

  it('RFC 3261 §16.7 step 5: the 2xx of a branch that had failed counts while another is waited for', async () => {
    const w = await world(['sip:x@10.0.1.1', bobUri])
    const peer = await w.scenario.raw('peer')
    const calling = call(w)
    await w.scenario.pass(20)
    const sent = peer.received[0]!.split('\r\n')
    const headers = sent.filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(line))
    const to = sent.find((line) => line.startsWith('To:'))
    const answer = (status: string) =>
      peer.send('10.0.0.2', [`SIP/2.0 ${status}`, ...headers, `${to};tag=p`, 'Contact: <sip:x@10.0.1.1>'])
    answer('408 Request Timeout')
    await w.scenario.pass(20)
    answer('200 OK')
    const a = await w.scenario.settle(calling)
    await w.scenario.pass(20)
    expect(w.results).toEqual([200])
    expect(w.scenario.ladder).toContain('proxy>bob CANCEL')
    expect(peer.received.at(-1)).toMatch(/^ACK /)
    void a.bye()
    await drained(w)
  })

  it('a peer that changes its Contact to ours reaches nobody, and comes back once at most', async () => {
    const w = await world()
    const { a, b } = await answered(w)
    const before = w.scenario.ladder.length
    const moved = a.reinvite({ sdp, headers: [['Contact', '<sip:10.0.0.2>']] }).catch(() => {})
    await w.scenario.pass(50)
    await w.scenario.settle(moved)
    const bye = b.bye()
    await w.scenario.pass(1_000)
    await w.scenario.settle(bye)
    const own = w.scenario.ladder.slice(before).filter((line) => line.startsWith('proxy>proxy'))
    expect(own.length).toBeLessThanOrEqual(2)
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('a stack that closes answers what is being proxied', async () => {
    const w = await world()
    const calling = call(w)
    calling.catch(() => {})
    await w.scenario.pass(50)
    const closing = w.proxy.close({ graceMs: 100 })
    await w.scenario.pass(5_000)
    await closing
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 487 })
    expect(w.results).toEqual([487])
    expect(w.scenario.ladder).toContain('proxy>bob CANCEL')
  })

  it('a Request-URI or a Route with our mark and nothing behind it goes nowhere', async () => {
    const w = await world()
    const seen: string[] = []
    w.bob.on('messageIn', ({ bytes }) => seen.push(Buffer.from(bytes).toString()))
    const { a } = await answered(w)
    const route = /Record-Route: <([^>]*)>/.exec(seen[0] ?? '')?.[1] ?? ''
    const tags = ['From', 'To'].map((name) => new RegExp(`^${name}: .*;tag=(\\S+)`, 'm').exec(seen.at(-1)!)?.[1])
    const callId = /^Call-ID: (\S+)/m.exec(seen[0]!)?.[1]
    const raw = await w.scenario.raw('raw')
    const before = w.scenario.ladder.length
    raw.send('10.0.0.2', [
      `INFO ${route} SIP/2.0`,
      'Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bKmark',
      `From: <sip:a@b>;tag=${tags[0]}`,
      `To: <sip:c@d>;tag=${tags[1]}`,
      `Call-ID: ${callId}`,
      'CSeq: 7 INFO',
      `Route: <${route}>, <${route}>, <${route}>`,
      'Content-Length: 0',
    ])
    await w.scenario.pass(2_000)
    expect(w.scenario.ladder.slice(before).filter((line) => /proxy>(bob|alice|carol)/.test(line))).toEqual([])
    expect(w.scenario.ladder.slice(before).length).toBeLessThanOrEqual(4)
    await w.scenario.settle(a.bye())
    await drained(w)
  })
})
