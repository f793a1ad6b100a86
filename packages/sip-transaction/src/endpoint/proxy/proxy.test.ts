import { describe, expect, it } from 'vitest'
import { CallFailedError } from '../../errors'
import { answered, bobUri, call, carolUri, drained, sdp, world } from '../fixtures/proxy-scenario'

describe('a stateful proxy', () => {
  it('RFC 3261 §16: carries a whole call, its ACK and its BYE by the Record-Route', async () => {
    const w = await world()
    const { a } = await answered(w)
    await w.scenario.settle(a.bye())
    await w.scenario.pass(10)
    expect(w.scenario.ladder).toEqual([
      'alice>proxy INVITE',
      'proxy>alice 100 INVITE',
      'proxy>bob INVITE',
      'bob>proxy 180 INVITE',
      'proxy>alice 180 INVITE',
      'bob>proxy 200 INVITE',
      'proxy>alice 200 INVITE',
      'alice>proxy ACK',
      'proxy>bob ACK',
      'alice>proxy BYE',
      'proxy>bob BYE',
      'bob>proxy 200 BYE',
      'proxy>alice 200 BYE',
    ])
    expect(w.results).toEqual([200])
    await drained(w)
  })

  it('RFC 3261 §16.12.1.1: the called side hangs up by the same way', async () => {
    const w = await world()
    const { b } = await answered(w)
    await w.scenario.settle(b.bye())
    expect(w.scenario.ladder).toContain('bob>proxy BYE')
    expect(w.scenario.ladder).toContain('proxy>alice BYE')
    await drained(w)
  })

  it('RFC 3261 §16.10: a CANCEL before any branch has answered goes on with the first provisional response', async () => {
    const w = await world()
    w.scenario.network.setLink('10.0.0.3', '10.0.0.2', { delayMinMs: 400, delayMaxMs: 400 })
    const abort = new AbortController()
    const calling = call(w, { signal: abort.signal })
    await w.scenario.pass(50)
    abort.abort()
    await expect(w.scenario.settle(calling)).rejects.toThrow()
    await w.scenario.pass(1_000)
    const { ladder } = w.scenario
    expect(ladder.indexOf('alice>proxy CANCEL')).toBeLessThan(ladder.indexOf('proxy>bob CANCEL'))
    expect(w.results).toEqual([487])
    await drained(w)
  })

  it('RFC 3261 §16.7: 487 of the called side goes back after CANCEL, and its ACK is absorbed', async () => {
    const w = await world()
    const abort = new AbortController()
    const calling = call(w, { signal: abort.signal })
    await w.scenario.pass(300)
    abort.abort()
    await expect(w.scenario.settle(calling)).rejects.toThrow()
    await w.scenario.pass(100)
    const { ladder } = w.scenario
    expect(ladder).toContain('proxy>bob CANCEL')
    expect(ladder.filter((line) => line === 'proxy>alice 487 INVITE')).toHaveLength(1)
    expect(ladder).toContain('proxy>bob ACK')
    expect(ladder).toContain('alice>proxy ACK')
    expect(w.results).toEqual([487])
    await drained(w)
  })

  it('RFC 3261 §16.7 step 10: the first 2xx cancels the other branches', async () => {
    const w = await world([bobUri, carolUri])
    const { a } = await answered(w, 1)
    expect(w.scenario.ladder).toContain('proxy>bob CANCEL')
    expect(w.scenario.ladder.filter((line) => line.startsWith('proxy>alice 487'))).toEqual([])
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('RFC 3261 §16.7: 2xx of two branches both go back, and the caller ends the second', async () => {
    const w = await world([bobUri, carolUri])
    const calling = call(w)
    await w.scenario.pass(50)
    const both = w.invites.map((invite) => invite.accept({ sdp }))
    const a = await w.scenario.settle(calling)
    await w.scenario.settle(Promise.allSettled(both))
    await w.scenario.pass(1_000)
    expect(w.scenario.ladder.filter((line) => line === 'proxy>alice 200 INVITE')).toHaveLength(2)
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('RFC 3261 §9.1: a caller that has cancelled, and gets the 2xx of another branch than rang, keeps no dialog', async () => {
    const w = await world([bobUri, carolUri])
    w.scenario.lose(1, (line, text) => line.startsWith('SIP/2.0 180') && text.includes('sip:carol@'))
    const abort = new AbortController()
    const calling = call(w, { signal: abort.signal })
    calling.catch(() => {})
    await w.scenario.pass(50)
    w.scenario.network.setLink('10.0.0.1', '10.0.0.2', { delayMinMs: 100, delayMaxMs: 100 })
    abort.abort()
    w.invites[1]!.accept({ sdp }).catch(() => {})
    await w.scenario.pass(1_000)
    expect(w.scenario.ladder).toEqual(
      expect.arrayContaining(['alice>proxy CANCEL', 'proxy>alice 200 INVITE', 'proxy>carol BYE']),
    )
    await drained(w)
  })

  it('RFC 3261 §16.6: serial targets are tried by falling q, and the best failure goes back', async () => {
    const w = await world(
      [
        { uri: bobUri, q: 0.3 },
        { uri: carolUri, q: 0.9 },
      ],
      { mode: 'serial' },
    )
    const calling = call(w)
    await w.scenario.pass(50)
    expect(w.invites.map((invite) => invite.uri.toString())).toEqual([carolUri])
    w.invites[0]!.reply(486)
    await w.scenario.pass(50)
    expect(w.invites.map((invite) => invite.uri.toString())).toEqual([carolUri, bobUri])
    w.invites[1]!.reply(503)
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 486 })
    await drained(w)
  })

  it('RFC 3261 §16.7 step 5: a 6xx stops the search, and a 2xx after it wins', async () => {
    const w = await world([bobUri, carolUri])
    const calling = call(w)
    await w.scenario.pass(50)
    const accepting = w.invites[1]!.accept({ sdp })
    w.invites[0]!.reply(603)
    const a = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    await w.scenario.settle(a.bye())
    expect(w.results).toEqual([200])
    await drained(w)
  })

  it('RFC 3261 §16.7 step 6, §16.9: a 503 of the next hop becomes 500, and an unreachable one too', async () => {
    const w = await world()
    const calling = call(w)
    await w.scenario.pass(50)
    w.invites[0]!.reply(503)
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 500 })
    await drained(w)
  })

  it('RFC 3261 §16.5: no targets give 480, an unknown method is forwarded, Max-Forwards 0 gives 483', async () => {
    const none = await world([])
    await expect(none.scenario.settle(call(none))).rejects.toBeInstanceOf(CallFailedError)
    expect(none.results).toEqual([480])
    const w = await world()
    w.bob.method('WINK', (request) => request.reply(299))
    const destination = { transport: 'UDP', address: '10.0.0.2', port: 5060 }
    const wink = await w.scenario.settle(w.alice.request({ method: 'WINK', uri: 'sip:x@y.example', destination }))
    expect(wink.status).toBe(299)
    await drained(w)
  })
})
