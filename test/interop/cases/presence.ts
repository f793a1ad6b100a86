/**
 * Presence (RFC 3856, RFC 3903, RFC 6665) with linphone: at a presence server made of the stack it publishes and watches; and
 * it is watched directly, as the notifier.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SipUri, type Uri } from '@carillon/sip-parser'
import {
  composePresence,
  createNodeRandom,
  EventStateTable,
  type NotifierSubscription,
  type Presence,
  presencePackage,
  type RequestSource,
} from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { Endpoint, expectThat } from '../support/endpoint.ts'
import { startLinphone } from '../support/linphone.ts'
import type { Program } from '../support/program.ts'
import { domain } from '../support/server.ts'

type Context = Pick<CaseContext, 'workDir'>

const user = { name: '2001', password: 'not-asked-for' }
const friend = '2002'

/** A presence server that takes registrations as well. */
class PresenceServer {
  readonly table = new EventStateTable(presencePackage, createNodeRandom())
  readonly watchers: NotifierSubscription<Presence>[] = []
  /** Where the phone that has registered is. */
  phone: RequestSource | undefined

  readonly endpoint: Endpoint

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    const { stack } = endpoint
    stack.method('REGISTER', (request) => {
      this.phone = request.source
      const contact = request.message.get('Contact')
      request.reply(200, {
        headers:
          contact === undefined
            ? []
            : [
                ['Contact', contact],
                ['Expires', 300],
              ],
      })
    })
    stack.method('PUBLISH', (request) => {
      const resource = nameOf(request.uri)
      const { status, headers } = this.table.apply(resource, request.message, performance.now())
      request.reply(status, { headers })
      this.tell(resource)
    })
    stack.method('SUBSCRIBE', (request) => {
      const resource = nameOf(request.uri)
      const watcher = request.subscription({ event: presencePackage, state: () => this.presenceOf(resource) })
      if (watcher !== undefined) this.watchers.push(watcher)
    })
  }

  states(name: string): readonly Presence[] {
    return this.table.states(name, performance.now())
  }

  private tell(resource: string): void {
    for (const watcher of this.watchers) watcher.notify(this.presenceOf(resource))
  }

  private presenceOf(name: string): Presence {
    return composePresence(`sip:${name}@${domain}`, this.states(name))
  }
}

function nameOf(uri: Uri): string {
  return uri instanceof SipUri ? (uri.user ?? '') : ''
}

async function until(what: string, program: Program, condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 50) {
    expectThat(waited < 20_000 && !program.hasExited, `${what}: did not come\n${program.tail()}`)
    await sleep(50)
  }
}

const isOpen = (presence: Presence | undefined) => presence?.tuples.some(({ basic }) => basic === 'open') === true

/** Runs linphone at such a server. */
async function withLinphone(
  { workDir }: Context,
  transport: 'udp' | 'tcp',
  use: (server: PresenceServer, program: Program) => Promise<void>,
): Promise<void> {
  const endpoint = await Endpoint.start()
  const server = new PresenceServer(endpoint)
  const port = endpoint.port(transport.toUpperCase())
  const program = startLinphone(workDir, user, transport, port, { friends: [friend], publish: true })
  try {
    await use(server, program)
  } finally {
    await program.stop(8_000)
    await endpoint.stack.close({ graceMs: 0 })
  }
}

/** It publishes itself, subscribes to its friend, takes what it is told, and takes both back when it ends. */
async function atServer(context: Context, transport: 'udp' | 'tcp'): Promise<void> {
  await withLinphone(context, transport, async (server, program) => {
    const { endpoint } = server
    await until('its publication', program, () => isOpen(server.states(user.name)[0]))
    await until('its subscription', program, () => server.watchers.length > 0)
    await until(
      'its answer to the first NOTIFY',
      program,
      () => endpoint.passed('in', /^SIP\/2\.0 200 [\s\S]*CSeq: \d+ NOTIFY/i).length > 0,
    )
    const other = await Endpoint.start()
    try {
      const publication = await other.stack.publish(`sip:${friend}@${endpoint.target()}`, {
        event: presencePackage,
        state: {
          entity: `sip:${friend}@${domain}`,
          tuples: [{ id: 'one', basic: 'open', contact: `sip:${friend}@${domain}` }],
          notes: ['at work'],
          activities: ['on-the-phone'],
        },
      })
      await until(
        'its answer to the second NOTIFY',
        program,
        () => endpoint.passed('in', /^SIP\/2\.0 200 [\s\S]*CSeq: \d+ NOTIFY/i).length > 1,
      )
      await publication.remove()
    } finally {
      await other.stack.close({ graceMs: 0 })
    }
    expectThat(
      endpoint.passed('in', /^SIP\/2\.0 [3-6]\d\d [\s\S]*CSeq: \d+ NOTIFY/i).length === 0,
      'it refused a NOTIFY',
    )
    await program.stop(8_000)
    const [watcher] = server.watchers
    const end = await Promise.race([watcher!.ended, sleep(3_000, undefined)])
    expectThat(end?.by === 'remote', `its subscription ended by ${end?.by} ${end?.reason}`)
    expectThat(
      server.states(user.name).every((presence) => !isOpen(presence)),
      'it is still there for others',
    )
  })
}

/** It is asked itself, and answers with its own PIDF; then the subscription is ended from here. */
async function asNotifier(context: Context): Promise<void> {
  await withLinphone(context, 'udp', async (server, program) => {
    await until('its registration', program, () => server.phone !== undefined)
    const { address, port } = server.phone!
    const told: Presence[] = []
    const watching = await server.endpoint.stack.subscribe(`sip:${user.name}@${address}:${port}`, {
      event: presencePackage,
      from: `<sip:${friend}@${domain}>`,
      expiresSeconds: 120,
      onNotify: ({ state }) => {
        if (state !== undefined) told.push(state)
      },
    })
    await until('its NOTIFY', program, () => told.length > 0)
    expectThat(isOpen(told[0]), `it said ${JSON.stringify(told[0])}`)
    // It takes the end, and says no last word (RFC 6665 §4.2.1.4 wants one): only timer N ends the wait for that.
    void watching.unsubscribe()
    const asked = /^SUBSCRIBE sip:127\.0\.0\.1:\d+[\s\S]*\nExpires: 0\r/
    await server.endpoint.until('out', asked)
    await server.endpoint.until('in', /^SIP\/2\.0 200 [\s\S]*CSeq: 2 SUBSCRIBE/i)
  })
}

export const presenceCases: readonly InteropCase[] = [
  {
    name: 'presence: linphone publishes, and watches its friend, over UDP',
    run: (context) => atServer(context, 'udp'),
  },
  {
    name: 'presence: linphone publishes, and watches its friend, over TCP',
    run: (context) => atServer(context, 'tcp'),
  },
  { name: 'presence: linphone is watched itself', run: asNotifier },
]
