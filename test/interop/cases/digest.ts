/**
 * Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760) at a registrar made of the stack: SIPp whose nonce grows old, SIPp
 * with a wrong password, and linphone, which knows SHA-256.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DigestAlgorithm } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { expectThat } from '../support/endpoint.ts'
import { type Gateway, withGateway } from '../support/gateway.ts'
import { startLinphone } from '../support/linphone.ts'
import { sippCalls } from '../support/peers.ts'
import { pause, receive, type Step, send } from '../support/scenario.ts'

type Context = Pick<CaseContext, 'workDir'>

const user = { name: '2001', password: 'correct-horse' }
const nonceLifetimeMs = 800
const isStale = { header: 'WWW-Authenticate:', regexp: 'stale="?true' }

/** SIPp names itself in To what it registers; the password makes the credentials for the last challenge. */
function register(cseq: number, password?: string): Step {
  const credentials = password === undefined ? [] : [`[authentication username=${user.name} password=${password}]`]
  return send('REGISTER', {
    cseq,
    branch: `register-${cseq}`,
    place: 'outside',
    user: user.name,
    headers: ['Expires: 300', ...credentials],
  })
}

const registered = receive(200, { has: [{ header: 'Contact:', regexp: 'expires=300' }] })

/** A nonce serves until it is old; then the challenge says so, and the same password does with the new one. */
async function staleNonce({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  const schemes = ['udp', 'tcp']
  await withGateway({ users: [user], algorithms: ['MD5'], nonceLifetimeMs, schemes }, async (gateway) => {
    await sippCalls(
      gateway.endpoint,
      workDir,
      'stale-nonce',
      [
        register(1),
        receive(401, { hasNot: [isStale] }),
        register(2, user.password),
        registered,
        pause(2 * nonceLifetimeMs),
        register(3, user.password),
        receive(401, { has: [isStale] }),
        register(4, user.password),
        registered,
      ],
      { transport },
    )
    expectRefusals(gateway, 'absent,stale')
    expectThat(gateway.registrations.length === 2, `there were ${gateway.registrations.length} registrations`)
  })
}

/** A wrong password is never excused with the age of the nonce, or SIPp would try it for ever. */
async function wrongPassword({ workDir }: Context): Promise<void> {
  await withGateway({ users: [user], algorithms: ['MD5'], nonceLifetimeMs }, async (gateway) => {
    await sippCalls(gateway.endpoint, workDir, 'wrong-password', [
      register(1),
      receive(401, { hasNot: [isStale] }),
      register(2, 'wrong'),
      receive(401, { hasNot: [isStale] }),
      pause(2 * nonceLifetimeMs),
      register(3, 'wrong'),
      receive(401, { hasNot: [isStale] }),
      register(4, user.password),
      registered,
    ])
    expectRefusals(gateway, 'absent,wrong,wrong')
  })
}

function expectRefusals(gateway: Gateway, expected: string): void {
  expectThat(gateway.refusals.join() === expected, `it was refused for ${gateway.refusals}`)
}

/** It registers with the strongest that is offered, and takes its registration back in the same way. */
async function linphone({ workDir }: Context, algorithms: readonly DigestAlgorithm[], transport: 'udp' | 'tcp') {
  await withGateway({ users: [user], algorithms, schemes: [transport] }, async (gateway) => {
    const { registrations, endpoint } = gateway
    const program = startLinphone(workDir, user, transport, endpoint.port(transport.toUpperCase()))
    try {
      for (let waited = 0; registrations.length === 0; waited += 50) {
        expectThat(waited < 15_000 && !program.hasExited, `it did not register\n${program.tail()}`)
        await sleep(50)
      }
    } finally {
      await program.stop(8_000)
    }
    for (let waited = 0; registrations.length < 2 && waited < 2_000; waited += 50) await sleep(50)
    const seen = registrations.map(({ algorithm, isBound }) => `${algorithm} ${isBound ? 'on' : 'off'}`)
    expectThat(seen.join() === 'SHA-256 on,SHA-256 off', `it registered with ${seen}`)
    expectThat(!gateway.refusals.includes('wrong'), `it was refused for ${gateway.refusals}`)
  })
}

export const digestCases: readonly InteropCase[] = [
  { name: 'digest: the nonce of SIPp grows stale, over UDP', run: (context) => staleNonce(context, 'u1') },
  { name: 'digest: the nonce of SIPp grows stale, over TCP', run: (context) => staleNonce(context, 't1') },
  { name: 'digest: a wrong password of SIPp is wrong, whatever the age of its nonce', run: wrongPassword },
  {
    name: 'digest: linphone is offered SHA-256 and MD5, and takes SHA-256',
    run: (context) => linphone(context, ['SHA-256', 'MD5'], 'udp'),
  },
  {
    name: 'digest: linphone is offered SHA-256 only, over TCP',
    run: (context) => linphone(context, ['SHA-256'], 'tcp'),
  },
]
