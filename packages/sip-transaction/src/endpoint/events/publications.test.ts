import { describe, expect, it } from 'vitest'
import type { EventPackage } from '../../events/event-package'
import { EventStateTable } from '../../events/event-state-table'
import { SeededRandom } from '../../testing'
import { Scenario } from '../fixtures/scenario'
import type { SipStack } from '../stack'

const words: EventPackage<string> = {
  name: 'word',
  contentType: 'text/plain',
  expiresSeconds: 600,
  forks: 'one',
  read: (body) => ({ ok: true, state: Buffer.from(body).toString() }),
  write: (state) => state,
}

const target = 'sip:alice@10.0.0.2:5060'

interface Server {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly server: SipStack
  readonly states: () => readonly string[]
  readonly log: string[]
  /** Makes a table anew: the server has forgotten everything. */
  restart(): void
}

async function serve(): Promise<Server> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const server = await scenario.stack('server')
  const make = () => new EventStateTable(words, new SeededRandom(3))
  let table = make()
  const log: string[] = []
  server.method('PUBLISH', (request) => {
    const result = table.apply('alice', request.message, scenario.clock.monotonicMs())
    const { message } = request
    log.push(
      `${message.get('Expires')} ${message.has('SIP-If-Match') ? 'match' : '-'} ${Buffer.from(request.body)} ${result.status}`,
    )
    request.reply(result.status, { headers: result.headers })
  })
  const states = () => table.states('alice', scenario.clock.monotonicMs())
  return {
    scenario,
    alice,
    server,
    states,
    log,
    restart: () => {
      table = make()
    },
  }
}

describe('a publication', () => {
  it('RFC 3903 §4: is published, modified and removed by its entity tag', async () => {
    const { scenario, alice, states, log } = await serve()
    const publication = await scenario.settle(alice.publish(target, { event: words, state: 'one' }))
    expect([states(), publication.isPublished]).toEqual([['one'], true])
    publication.update('two')
    await scenario.pass(100)
    expect(states()).toEqual(['two'])
    expect(await scenario.settle(publication.remove())).toEqual({ by: 'local' })
    expect([states(), log]).toEqual([[], ['600 - one 200', '600 match two 200', '0 match  200']])
    await scenario.pass(100_000)
    expect(scenario.gauges().every((gauge) => gauge === 0)).toBe(true)
    expect(alice.stats().subscriptions).toBe(0)
  })

  it('RFC 3903 §4.1: is refreshed without a body before it expires', async () => {
    const { scenario, alice, states, log } = await serve()
    await scenario.settle(alice.publish(target, { event: words, state: 'one' }))
    await scenario.pass(1_500_000)
    expect(states()).toEqual(['one'])
    expect(log.slice(1)).toEqual(['600 match  200', '600 match  200', '600 match  200'].slice(0, log.length - 1))
    expect(log.length).toBeGreaterThan(2)
  })

  it('RFC 3903 §4.4: is published anew when the server has lost it (412)', async () => {
    const { scenario, alice, states, log, restart } = await serve()
    await scenario.settle(alice.publish(target, { event: words, state: 'one' }))
    restart()
    await scenario.pass(600_000)
    expect(log.slice(0, 3)).toEqual(['600 - one 200', '600 match  412', '600 - one 200'])
    expect(states()).toEqual(['one'])
  })

  it('asks for the lifetime of a 423, and of many changes publishes the newest, one at a time', async () => {
    const { scenario, alice, states, log } = await serve()
    const publication = await scenario.settle(alice.publish(target, { event: words, state: 'a', expiresSeconds: 5 }))
    expect(log).toEqual(['5 - a 423', '60 - a 200'])
    for (let count = 0; count < 50; count += 1) publication.update(`${count}`)
    await scenario.pass(200)
    expect(log.slice(2)).toEqual(['60 match 0 200', '60 match 49 200'])
    expect(states()).toEqual(['49'])
  })

  it('is refused with the status, or without an answer, and leaves nothing', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const server = await scenario.stack('server')
    server.method('PUBLISH', (request) => request.reply(403))
    await expect(scenario.settle(alice.publish(target, { event: words, state: 'a' }))).rejects.toMatchObject({
      status: 403,
    })
    const nowhere = alice.publish('sip:x@10.0.0.99', { event: words, state: 'a' })
    await expect(scenario.settle(nowhere)).rejects.toMatchObject({ code: expect.any(String) })
    expect(alice.stats().subscriptions).toBe(0)
  })

  it('goes on when the server is out of order for a while', async () => {
    const { scenario, alice, server, states, log } = await serve()
    await scenario.settle(alice.publish(target, { event: words, state: 'one' }))
    let isBroken = true
    server.use((request, next) => (isBroken ? request.reply(500) : next()))
    await scenario.pass(550_000)
    isBroken = false
    await scenario.pass(200_000)
    expect(states()).toEqual(['one'])
    expect(log.at(-1)).toContain('200')
  })

  it('is taken back when the stack closes, or its signal says so', async () => {
    const { scenario, alice, states } = await serve()
    const controller = new AbortController()
    const publication = await scenario.settle(
      alice.publish(target, { event: words, state: 'one', signal: controller.signal }),
    )
    controller.abort()
    await scenario.settle(publication.ended)
    expect(states()).toEqual([])
    await scenario.settle(alice.publish(target, { event: words, state: 'two' }))
    await scenario.settle(alice.close())
    expect(states()).toEqual([])
  })
})
