/** Browsers over secure WebSocket (RFC 7118): JsSIP in Chromium registers with digest and exchanges messages. */
import { setTimeout as sleep } from 'node:timers/promises'
import { TestAuthority } from '../../support/certificates.ts'
import type { CaseContext, InteropCase } from '../case.ts'
import { BrowserPhones } from '../support/browser.ts'
import { expectThat } from '../support/endpoint.ts'
import { withGateway } from '../support/gateway.ts'
import { loopback } from '../support/network.ts'
import { domain } from '../support/server.ts'

const users = ['4001', '4002'].map((name) => ({ name, password: `secret-${name}` }))
const [uriOfAlice, uriOfBob] = users.map(({ name }) => `sip:${name}@${domain}`) as [string, string]

/** Two pages register and write to each other; then one leaves in order and the other without a word. */
async function messages({ workDir }: Pick<CaseContext, 'workDir'>): Promise<void> {
  const authority = await TestAuthority.create()
  const certificate = await authority.issue({ addresses: [loopback], dns: [domain] })
  await withGateway({ users, schemes: ['wss'], certificate }, async (gateway) => {
    const { endpoint, registrations } = gateway
    const browser = await BrowserPhones.start(workDir)
    try {
      const [alice, bob] = await Promise.all(users.map((user) => browser.open(user, endpoint.port('WSS'))))
      if (alice === undefined || bob === undefined) throw new Error('a page is missing')
      const outcomes = await Promise.all([alice.register(), bob.register()])
      expectThat(outcomes.join() === 'registered 200,registered 200', `they came to ${outcomes}`)
      const seen = registrations.map(({ transport }) => transport)
      expectThat(seen.join() === 'WSS,WSS', `they registered over ${seen}`)
      expectThat(gateway.refusals.join() === 'absent,absent', `they were refused for ${gateway.refusals}`)

      // Frames with each of the three forms of a length, and more than ASCII.
      const texts = ['Grüße 世界 🎵', 'a'.repeat(200), 'ü'.repeat(32_600)]
      for (const text of texts) {
        const status = await alice.send(uriOfBob, text)
        expectThat(status === '200', `${text.length} characters were answered ${status}`)
      }
      // A body over the limit is refused, and the connection stays.
      expectThat((await alice.send(uriOfBob, 'ü'.repeat(40_000))) === '413', 'a body of 80 000 bytes was taken')
      expectThat((await bob.received(texts.length)).join() === texts.join(), 'the texts to bob were changed')
      expectThat((await bob.send(uriOfAlice, 'back')) === '200', 'alice did not get an answer')
      expectThat((await alice.received(1)).join() === 'back', 'the text to alice was changed')

      await bob.unregister()
      expectThat(registrations.at(-1)?.isBound === false, 'bob is still registered')
      expectThat((await alice.send(uriOfBob, 'gone')) === '480', 'somebody took a message for bob')
      const closed = new Promise<string>((resolve) => {
        endpoint.stack.on('connectionClosed', ({ transport }) => resolve(transport))
      })
      await alice.vanish()
      expectThat((await closed) === 'WSS', 'another connection was closed')
      for (let waited = 0; endpoint.stack.stats().connections > 0 && waited < 3_000; waited += 50) await sleep(50)
      const { connections } = endpoint.stack.stats()
      expectThat(connections === 0, `${connections} connections are left`)
    } finally {
      await browser.stop()
    }
  })
}

export const browserCases: readonly InteropCase[] = [
  { name: 'Chromium: two JsSIP register over secure WebSocket and exchange MESSAGE', run: messages },
]
