/**
 * Outbound (RFC 5626) with a flow that dies: baresip registers over two flows at once, one of them is cut in the middle of
 * its life, and calls still reach it, once. Then our own client, which forms its flow anew.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaseContext, InteropCase } from '../case.ts'
import { Baresip } from '../support/baresip.ts'
import { expectThat, ownSdp, withEndpoint } from '../support/endpoint.ts'
import { type Gateway, withGateway } from '../support/gateway.ts'
import { freePort, loopback } from '../support/network.ts'
import { domain, type User } from '../support/server.ts'

const user: User = { name: '4001', password: 'interop-4001' }

/** A TCP relay whose connections can be cut, as an address translator does that forgets. */
class Cut {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(port: number, to: number): Promise<Cut> {
    const server = createServer()
    const cut = new Cut(server)
    server.on('connection', (near) => {
      const far = connect(to, loopback)
      for (const socket of [near, far]) {
        cut.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          cut.#sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => server.listen(port, loopback, resolve))
    return cut
  }

  /** Breaks what is up and takes nobody any more. */
  stop(): void {
    this.#server.close()
    this.breakAll()
  }

  breakAll(): void {
    for (const socket of [...this.#sockets]) socket.destroy()
  }
}

async function until(what: string, isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await sleep(20)
  }
}

const regIdsOf = (gateway: Gateway) =>
  gateway
    .bindingsOf(user.name)
    .map(({ regId }) => regId)
    .sort()
    .join()

/** baresip has a flow over TCP and one over UDP; the first is cut, and a call comes by the second. */
async function baresipLosesAFlow({ workDir }: Pick<CaseContext, 'workDir'>): Promise<void> {
  await withGateway({ users: [user], algorithms: ['MD5'], schemes: ['tcp', 'udp'] }, async (gateway) => {
    const { endpoint } = gateway
    const port = await freePort()
    const cut = await Cut.listen(port, endpoint.port('TCP'))
    const secondPort = endpoint.port('UDP')
    const options = { workDir, user, serverPort: port, transport: 'tcp', toneHz: 400, secondPort } as const
    const phone = await Baresip.start(options)
    try {
      await until('two flows', () => regIdsOf(gateway) === '1,2', 10_000)
      const instances = new Set(gateway.bindingsOf(user.name).map(({ instance }) => instance))
      expectThat(instances.size === 1 && !instances.has(undefined), `instances: ${[...instances]}`)
      cut.stop()
      await until('the dead flow is no binding', () => regIdsOf(gateway) === '2', 5_000)
      await withEndpoint({}, async (caller) => {
        const call = await caller.stack.invite(`sip:${user.name}@${endpoint.target()}`, { sdp: ownSdp })
        await phone.event('CALL_ESTABLISHED', 5_000)
        await call.bye()
        await phone.event('CALL_CLOSED', 5_000)
      })
      endpoint.expectCount(1, 'out', new RegExp(`^INVITE sip:${user.name}`))
      await endpoint.untilIdle()
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${phone.program.tail(25)}`)
    } finally {
      cut.stop()
      await phone.stop()
    }
  })
}

/** Our client does the same, and forms its flow anew when the way is open again. */
async function weLoseAFlow(): Promise<void> {
  await withGateway({ users: [user], schemes: ['tcp', 'udp'] }, async (gateway) => {
    const { endpoint } = gateway
    const port = await freePort()
    const cut = await Cut.listen(port, endpoint.port('TCP'))
    try {
      // A failure is tried again within seconds here, not within half a minute.
      await withEndpoint({ limits: { stack: { registrationRetryMs: 100 } } }, async (phone) => {
        const registration = phone.stack.register({
          aor: `sip:${user.name}@${domain}`,
          credentials: { username: user.name, password: user.password },
          instance: 'urn:uuid:6a1b0c7e-0000-4000-8000-000000004001',
          outboundProxies: [`<sip:${loopback}:${port};transport=tcp;lr>`, `<sip:${endpoint.target()};lr>`],
        })
        await until('two flows', () => regIdsOf(gateway) === '1,2', 5_000)
        const [before] = gateway.bindingsOf(user.name).filter(({ regId }) => regId === 1)
        const oldFlow = before?.flowId
        cut.breakAll()
        const isBack = () =>
          gateway.bindingsOf(user.name).some(({ regId, flowId }) => regId === 1 && flowId !== oldFlow)
        await until('a new flow', isBack, 5_000)
        expectThat(regIdsOf(gateway) === '1,2', `bound: ${regIdsOf(gateway)}`)
        await registration.unregister()
        expectThat(regIdsOf(gateway) === '', `left: ${regIdsOf(gateway)}`)
      })
    } finally {
      cut.stop()
    }
  })
}

export const outboundCases: readonly InteropCase[] = [
  { name: 'outbound: baresip has two flows, one dies, and a call comes by the other', run: baresipLosesAFlow },
  { name: 'outbound: a flow of ours dies and is formed anew', run: weLoseAFlow },
]
