/** The end of a call while something is still owed: nobody waits for ever. RFC 3261 §13.3.1.4, §15. */
import { describe, expect, it } from 'vitest'
import { Scenario } from '../fixtures/scenario'
import type { Call } from './call'

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Bob has accepted, and the ACK does not come. */
async function withoutAck(seconds: number) {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob')
  scenario.lose(
    Number.POSITIVE_INFINITY,
    (line) => line.startsWith('ACK ') && scenario.clock.monotonicMs() < seconds * 1000,
  )
  const outcome: string[] = []
  bob.method('INVITE', (request) => {
    void request.accept({ sdp }).then(
      () => outcome.push('accepted'),
      (error: { code: string }) => outcome.push(error.code),
    )
  })
  const call = await scenario.settle(alice.invite('sip:bob@10.0.0.2:5060', { sdp }))
  return { scenario, alice, bob, call, outcome }
}

describe('a call that ends while an ACK is missing', () => {
  it('RFC 3261 §15: hanging up twice before the ACK is told of twice, and sends one BYE after it', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    let called: Call | undefined
    bob.method('INVITE', async (request) => {
      called = await request.accept({ sdp })
      called.onRequest((inside) => inside.reply(200, { body: sdp }))
    })
    const call = await scenario.settle(alice.invite('sip:bob@10.0.0.2:5060', { sdp }))
    await scenario.pass(100)
    // The ACK of the re-INVITE is lost twice, and BYE has to wait for it.
    scenario.lose(2, (line) => line.startsWith('ACK '))
    await scenario.settle(call.reinvite({ sdp }))
    const told: string[] = []
    void called?.bye().then(() => told.push('first'))
    void called?.bye().then(() => told.push('second'))
    await scenario.pass(400)
    expect(told).toEqual([])
    await scenario.pass(10_000)
    expect(told).toEqual(['first', 'second'])
    expect(scenario.ladder.filter((line) => line === 'bob>alice BYE')).toHaveLength(1)
  })

  it('accept() of a stack that closes meanwhile says so', async () => {
    const w = await withoutAck(60)
    expect(w.outcome).toEqual([])
    await w.scenario.settle(w.bob.close({ graceMs: 0 }))
    expect(w.outcome).toEqual(['CALL_ENDED'])
  })

  it('RFC 3261 §13.3.1.4: accept() says that no ACK came, and the call is ended with BYE', async () => {
    const w = await withoutAck(60)
    await w.scenario.pass(40_000)
    expect(w.outcome).toEqual(['ACK_MISSING'])
    expect(w.scenario.ladder).toContain('bob>alice BYE')
  })
})
