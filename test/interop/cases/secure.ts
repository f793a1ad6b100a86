/**
 * SIP over TLS (RFC 3261 §26.3, RFC 5922): SIPp behind socat in both roles, with certificates that are checked, and baresip,
 * which has TLS of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SipTransactionError } from '@carillon/sip-transaction'
import { TestAuthority, type TestCertificate } from '../../support/certificates.ts'
import type { CaseContext, InteropCase } from '../case.ts'
import { Baresip } from '../support/baresip.ts'
import { expectThat, ownSdp, withEndpoint } from '../support/endpoint.ts'
import { withGateway } from '../support/gateway.ts'
import { freePort, loopback } from '../support/network.ts'
import { withSipp } from '../support/peers.ts'
import { mayTry, receive, respond, type Step, scenario, send, sippContact, sippSdp } from '../support/scenario.ts'
import { domain } from '../support/server.ts'
import { runSipp, Sipp } from '../support/sipp.ts'
import { TlsRelay } from '../support/tls-relay.ts'

type Context = Pick<CaseContext, 'workDir'>

const users = ['3001', '3002'].map((name) => ({ name, password: `secret-${name}` }))
const talkMs = 3_000

interface Trust {
  readonly ca: string
  readonly certificate: TestCertificate
  /** By the same authority, for another address. */
  readonly otherCertificate: TestCertificate
}

async function createTrust(): Promise<Trust> {
  const authority = await TestAuthority.create()
  const certificate = await authority.issue({ addresses: [loopback], dns: [domain] })
  return {
    ca: authority.cert,
    certificate,
    otherCertificate: await authority.issue({ addresses: ['192.0.2.1'], dns: [domain] }),
  }
}

/** A scenario that says TLS where SIPp would say TCP. */
function secured(name: string, steps: readonly Step[]): string {
  return scenario(name, steps).replaceAll('SIP/2.0/[transport]', 'SIP/2.0/TLS').replaceAll('[transport]', 'tls')
}

/** SIPp registers with digest, and then calls. */
async function sippRegistersAndCalls({ workDir }: Context): Promise<void> {
  const { ca, certificate } = await createTrust()
  const [user] = users
  if (user === undefined) throw new Error('there is no user')
  await withGateway({ users, algorithms: ['MD5'], schemes: ['tls'], certificate }, async (gateway) => {
    const { endpoint } = gateway
    const relay = await TlsRelay.toServer(workDir, endpoint.port('TLS'), ca)
    const target = `${loopback}:${relay.port}`
    const credentials = `[authentication username=${user.name} password=${user.password}]`
    const register = (cseq: number, ...headers: string[]) =>
      send('REGISTER', {
        cseq,
        branch: `register-${cseq}`,
        place: 'outside',
        user: user.name,
        headers: ['Expires: 300', ...headers],
      })
    try {
      const steps = [register(1), receive(401), register(2, credentials), receive(200)]
      await runSipp({ workDir, scenario: 'tls-register', xml: secured('tls-register', steps), target, transport: 't1' })
      const [registration] = gateway.registrations
      expectThat(registration?.transport === 'TLS', `it registered over ${registration?.transport}`)
      const secureSources: boolean[] = []
      endpoint.stack.use(async (request, next) => {
        secureSources.push(request.source.isSecure)
        if (request.method === 'INVITE') await request.accept({ sdp: ownSdp })
        else await next()
      })
      const call = [
        send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp }),
        mayTry,
        receive(200, { target: true, has: [{ header: 'Contact:', regexp: 'transport=tls|sips:' }] }),
        send('ACK', { cseq: 1, branch: 'ack' }),
        send('BYE', { cseq: 2, branch: 'bye' }),
        receive(200),
      ]
      await runSipp({ workDir, scenario: 'tls-call', xml: secured('tls-call', call), target, transport: 't1' })
      expectThat(secureSources.length > 0 && secureSources.every(Boolean), `secure: ${secureSources}`)
      await endpoint.untilIdle()
    } finally {
      relay.stop()
    }
  })
}

/** We call SIPp: when its certificate is for its address, and not at all when it is for another. */
async function weCallOverTls({ workDir }: Context): Promise<void> {
  const { ca, certificate, otherCertificate } = await createTrust()
  const listen = [`tls://${loopback}:0`]
  await withEndpoint({ listen, tls: { ca } }, async (endpoint) => {
    const steps = [
      receive('INVITE', { target: true, has: [{ header: 'Via:', regexp: 'SIP/2.0/TLS' }] }),
      respond('200 OK', { sdp: sippSdp }),
      receive('ACK'),
      receive('BYE'),
      respond('200 OK', { isInDialog: true }),
    ]
    const port = await freePort()
    const right = await TlsRelay.asServer(workDir, certificate, port)
    const wrong = await TlsRelay.asServer(workDir, otherCertificate, port)
    const target = ({ port }: TlsRelay) => `sip:sipp@${loopback}:${port};transport=tls`
    // SIPp has to name the port of the TLS in front of it.
    const xml = scenario('tls-answer', steps).replaceAll(sippContact, target(right))
    const sipp = await Sipp.start({ workDir, scenario: 'tls-answer', xml, transport: 't1', port })
    await sipp.listens()
    try {
      await withSipp(sipp, async () => {
        const refused: unknown = await endpoint.stack.invite(target(wrong), { sdp: ownSdp }).catch((error) => error)
        expectThat(refused instanceof SipTransactionError, 'a server with the certificate of another was called')
        const call = await endpoint.stack.invite(target(right), { sdp: ownSdp })
        await call.bye()
      })
      await endpoint.untilIdle()
    } finally {
      for (const relay of [right, wrong]) relay.stop()
    }
  })
}

/** Both register over TLS, one calls the other through us, and each hears the tone of the other. */
async function baresipOverTls({ workDir }: Context): Promise<void> {
  const { ca, certificate } = await createTrust()
  const tls = { ca, certificate: certificate.key + certificate.cert }
  await withGateway({ users, algorithms: ['MD5'], schemes: ['tls'], certificate }, async (gateway) => {
    const phones: Baresip[] = []
    const serverPort = gateway.endpoint.port('TLS')
    try {
      for (const [index, user] of users.entries())
        phones.push(
          await Baresip.start({ workDir, user, serverPort, transport: 'tls', tls, toneHz: 400 + 200 * index }),
        )
      const [caller, callee] = phones
      if (caller === undefined || callee === undefined) throw new Error('a phone is missing')
      caller.command('dial', `sip:${callee.user.name}@${domain}`)
      await Promise.all(phones.map((phone) => phone.event('CALL_ESTABLISHED', 10_000)))
      await sleep(talkMs)
      caller.command('hangup')
      await Promise.all(phones.map((phone) => phone.event('CALL_CLOSED', 5_000)))
      for (const phone of phones) {
        const { packetsReceived, errorsReceived } = await phone.audioCounts()
        const heard = `${phone.user.name} received ${packetsReceived} packets, ${errorsReceived} errors`
        expectThat(packetsReceived > talkMs / 40 && errorsReceived === 0, heard)
      }
      const transports = gateway.registrations.map(({ transport }) => transport)
      expectThat(transports.join() === 'TLS,TLS', `they registered over ${transports}`)
      await gateway.endpoint.untilIdle()
    } catch (error) {
      const tails = phones.map((phone) => `--- ${phone.program.name}\n${phone.program.tail(25)}`)
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${tails.join('\n')}`)
    } finally {
      await Promise.all(phones.map((phone) => phone.stop()))
    }
  })
}

export const secureCases: readonly InteropCase[] = [
  { name: 'TLS: SIPp registers and calls through socat', run: sippRegistersAndCalls },
  { name: 'TLS: we call SIPp through socat, and not with the certificate of another', run: weCallOverTls },
  { name: 'TLS: baresip calls baresip, both registered over TLS, audio both ways', run: baresipOverTls },
]
