import { describe, expect, it } from 'vitest'
import {
  answered,
  bobUri,
  call,
  carolUri,
  drained,
  proxyAddress,
  sdp,
  type World,
  world,
} from '../endpoint/fixtures/proxy-scenario'
import { Scenario } from '../endpoint/fixtures/scenario'
import type { ProxyOptions, ProxyTargets } from '../endpoint/proxy/proxy-options'
import type { IncomingRequest } from '../endpoint/requests/incoming-request'
import { CallFailedError } from '../errors'
import { anonymousCall } from './anonymous'
import { divert } from './diversions'
import { mergeChanges } from './header-changes'
import { applyPrivacy } from './privacy-service'
import { TrustDomain } from './trust-domain'

/** Bob's network is trusted, and the proxy; neither Alice nor Carol is. */
const trust = new TrustDomain({ addresses: ['10.0.0.2', '10.0.0.3'] })
const alicesOwn = ['sip:alice@example.com', 'tel:+15551000']

/** The world of the proxy tests, with a handler of our own. */
async function guarded(handle: (request: IncomingRequest) => unknown, guardsDialogs = false): Promise<World> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice', { supported: ['histinfo'] })
  const guard = guardsDialogs ? { guard: (request: Parameters<TrustDomain['guard']>[0]) => trust.guard(request) } : {}
  const proxy = await scenario.stack('proxy', { proxy: { extensions: ['privacy'], ...guard } })
  const bob = await scenario.stack('bob', { callMethods: ['MESSAGE'] })
  const carol = await scenario.stack('carol')
  const invites: IncomingRequest[] = []
  const results: (number | undefined)[] = []
  proxy.use(handle)
  for (const phone of [bob, carol]) {
    phone.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
  }
  return { scenario, alice, proxy, bob, carol, invites, results }
}

const toBoth = (targets: ProxyTargets, options: ProxyOptions = {}) =>
  guarded((request) => request.proxy(targets, { recordRoute: true, ...options, ...trust.guard(request) }))

const asserted = (request: IncomingRequest | undefined) => request?.message.getAll('P-Asserted-Identity')
const forged = { headers: [['P-Asserted-Identity', '<sip:president@example.com>'] as const] }

describe('a proxy at the edge of a trust domain', () => {
  it('RFC 3325 §5: takes away what a stranger asserts, for members and for strangers', async () => {
    const w = await toBoth([bobUri, carolUri])
    call(w, forged).catch(() => {})
    await w.scenario.pass(50)
    expect(w.invites.map(asserted)).toEqual([[], []])
    w.invites[0]?.reply(486)
    w.invites[1]?.reply(486)
    await drained(w)
  })

  it('RFC 3325 §5, §6: asserts who has proved to be somebody, to the member of a fork and not to the stranger', async () => {
    const w = await guarded((request) =>
      request.proxy([bobUri, carolUri], { ...trust.guard(request, { user: alicesOwn }) }),
    )
    const preferred = [['P-Preferred-Identity', '"Alice" <tel:+1-555-1000>'] as const]
    call(w, { headers: [...forged.headers, ...preferred] }).catch(() => {})
    await w.scenario.pass(50)
    expect(w.invites.map(asserted)).toEqual([['"Alice" <tel:+1-555-1000>'], []])
    expect(w.invites.map(({ message }) => message.has('P-Preferred-Identity'))).toEqual([false, false])
    expect(trust.identityOf(w.invites[0]!)?.number?.digits).toBe('+15551000')
    for (const phone of w.invites) phone.reply(486)
    await drained(w)
  })

  it('RFC 3325 §7, §9.3: an anonymous call says who it is to the member, and to nobody outside', async () => {
    const open = new TrustDomain({ addresses: ['10.0.0.2', '10.0.0.3'], toStrangers: 'pass' })
    const w = await guarded((request) => request.proxy([bobUri, carolUri], open.guard(request, { user: alicesOwn })))
    call(w, anonymousCall()).catch(() => {})
    await w.scenario.pass(50)
    const [bob, carol] = w.invites
    expect([asserted(bob), asserted(carol)]).toEqual([['<sip:alice@example.com>'], []])
    expect(carol?.from.toString()).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/)
    expect(carol?.message.privacy).toEqual(['id'])
    for (const phone of w.invites) phone.reply(486)
    await drained(w)
  })

  it('RFC 3325 §5: takes the identity out of answers to strangers and out of those of strangers, repeated ones too', async () => {
    for (const target of [bobUri, carolUri]) {
      const w = await toBoth(target)
      const seen: string[] = []
      w.alice.on('messageIn', ({ message }) => {
        if (message?.kind === 'response') seen.push(...message.getAll('P-Asserted-Identity'), `${message.status}`)
      })
      // The first two ACKs are lost, so the 2xx is repeated after the proxied INVITE has ended.
      w.scenario.lose(2, (startLine) => startLine.startsWith('ACK'))
      const calling = call(w)
      await w.scenario.pass(50)
      const accepting = w.invites[0]!.accept({ sdp, headers: [['P-Asserted-Identity', '<sip:bob@example.com>']] })
      const [a] = await w.scenario.settle(Promise.all([calling, accepting]))
      await w.scenario.settle(a.bye())
      expect(seen.filter((text) => text === '200').length).toBeGreaterThan(2)
      expect(seen.filter((text) => text.includes('bob'))).toEqual([])
      await drained(w)
    }
  })

  it('RFC 3325 §5: keeps the edge inside calls, where no handler sees a request', async () => {
    for (const guardsDialogs of [true, false]) {
      const w = await guarded(
        (request) => request.proxy(bobUri, { recordRoute: true, ...trust.guard(request) }),
        guardsDialogs,
      )
      const { a, b } = await answered(w)
      const messages: IncomingRequest[] = []
      b.onRequest((request) => {
        messages.push(request)
        request.reply(200, { headers: [['P-Asserted-Identity', '<sip:bob@example.com>']] })
      })
      const response = await w.scenario.settle(a.request('MESSAGE', { headers: forged.headers }))
      expect([asserted(messages[0]), response.getAll('P-Asserted-Identity')]).toEqual(
        guardsDialogs ? [[], []] : [['<sip:president@example.com>'], ['<sip:bob@example.com>']],
      )
      await w.scenario.settle(a.bye())
      await drained(w)
    }
  })

  it('RFC 5876 §3.2: an ACK carries no identity', async () => {
    const w = await guarded((request) => request.proxy(bobUri, { recordRoute: true }), true)
    const acks: string[] = []
    w.bob.on('messageIn', ({ message, startLine }) => {
      if (startLine.startsWith('ACK')) acks.push(`${message?.has('P-Asserted-Identity')}`)
    })
    const mallory = await w.scenario.raw('mallory')
    const send = (method: string, to: string, lines: readonly string[]) =>
      mallory.send('10.0.0.2', [
        `${method} ${bobUri} SIP/2.0`,
        `Via: SIP/2.0/UDP ${mallory.address};branch=z9hG4bK${method}`,
        'From: <sip:m@example.com>;tag=m',
        `To: ${to}`,
        'Call-ID: m',
        `CSeq: 1 ${method}`,
        `Contact: <sip:m@${mallory.address}>`,
        'P-Asserted-Identity: <sip:president@example.com>',
        'Content-Length: 0',
        ...lines,
      ])
    send('INVITE', '<sip:bob@example.com>', [])
    await w.scenario.pass(50)
    w.invites[0]?.reply(200, { body: sdp, contentType: 'application/sdp' })
    await w.scenario.pass(50)
    const answer = mallory.received.findLast((text) => text.startsWith('SIP/2.0 200')) ?? ''
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(answer)?.[1]?.trim() ?? ''
    send('ACK', header('To'), [`Route: ${header('Record-Route')}`])
    await w.scenario.pass(50)
    expect(acks).toEqual(['false'])
  })

  it('does not let a request or an answer pass when its hook fails', async () => {
    const w = await guarded((request) => request.proxy(bobUri, trust.guard(request, { user: ['nonsense'] })))
    await expect(w.scenario.settle(call(w, forged))).rejects.toMatchObject({ status: 500 })
    expect(w.invites).toHaveLength(0)
    await drained(w)

    const x = await guarded((request) =>
      request.proxy(bobUri, {
        responseHeaders: () => {
          throw new Error('a mistake')
        },
      }),
    )
    const calling = call(x)
    await x.scenario.pass(50)
    x.invites[0]?.reply(486, { headers: [['P-Asserted-Identity', '<sip:bob@example.com>']] })
    await expect(x.scenario.settle(calling)).rejects.toMatchObject({ status: 500 })
    await drained(x)
  })

  it('RFC 3325 §5: forwards without state by the same rules', async () => {
    const w = await guarded((request) => request.forward(bobUri, trust.guard(request)))
    w.bob.method('MESSAGE', (request) => {
      w.invites.push(request)
      request.reply(200)
    })
    const headers = forged.headers
    const destination = proxyAddress
    const sent = w.alice.request({
      method: 'MESSAGE',
      uri: 'sip:bob@example.com',
      headers,
      destination,
      body: 'x',
      contentType: 'text/plain',
    })
    expect((await w.scenario.settle(sent)).status).toBe(200)
    expect(asserted(w.invites[0])).toEqual([])
  })
})

describe('a privacy service in a proxy', () => {
  const serve = (request: IncomingRequest) => {
    const privacy = applyPrivacy(request.message, { as: 'proxy', isInside: false })
    if (!privacy.ok) return request.reply(privacy.status)
    return request.proxy(bobUri, { headers: privacy.changes })
  }

  it('RFC 3323 §4.3, §5: takes Proxy-Require: privacy, gives what it can, and passes on what it cannot', async () => {
    const w = await guarded(serve)
    const { from, headers } = anonymousCall({ levels: ['user', 'id', 'header'] })
    call(w, { from, headers: [...headers, ['Proxy-Require', 'privacy'], ['Subject', 'secret']] }).catch(() => {})
    await w.scenario.pass(50)
    const { message } = w.invites[0]!
    expect(message.privacy).toEqual(['header'])
    expect([message.has('Subject'), message.has('User-Agent')]).toEqual([false, false])
    expect(message.proxyRequire).toEqual(['privacy'])
    w.invites[0]?.reply(486)
    await drained(w)
  })

  it('RFC 3323 §5: refuses with 500 what is critical and cannot be given', async () => {
    const w = await guarded(serve)
    const calling = call(w, anonymousCall({ levels: ['header'], critical: true }))
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 500 })
    await drained(w)
  })

  it('RFC 3261 §16.3: a proxy that offers none refuses Proxy-Require: privacy with 420', async () => {
    const w = await world()
    const calling = call(w, anonymousCall({ critical: true }))
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 420 })
    await drained(w)
  })
})

const history = (request: IncomingRequest | undefined) => request?.message.historyInfo.map(String)

describe('History-Info of a proxied request', () => {
  it('RFC 7044 §10.3 rule 5: a fork to two numbers its targets', async () => {
    const w = await guarded((request) => request.proxy([bobUri, carolUri], { history: true }))
    call(w).catch(() => {})
    await w.scenario.pass(50)
    expect(w.invites.map(history)).toEqual([
      ['<sip:bob@example.com>;index=1', '<sip:bob@10.0.0.3>;index=1.1;rc=1'],
      ['<sip:bob@example.com>;index=1', '<sip:carol@10.0.0.4>;index=1.2;mp=1'],
    ])
    for (const phone of w.invites) phone.reply(486)
    await drained(w)
  })

  it('RFC 7044 §9.2, §10.2: a redirection that is followed shows where it came from, and why', async () => {
    const w = await guarded((request) => request.proxy(bobUri, { history: true, recurse: true, recordRoute: true }))
    const calling = call(w)
    await w.scenario.pass(50)
    w.invites[0]?.reply(302, { contact: `<${carolUri}>;mp=1` })
    await w.scenario.pass(50)
    expect(history(w.invites[1])).toEqual([
      '<sip:bob@example.com>;index=1',
      '<sip:bob@10.0.0.3?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%20Temporarily%22>;index=1.1;rc=1',
      '<sip:carol@10.0.0.4>;index=1.2;mp=1',
    ])
    const responses: (readonly string[])[] = []
    w.alice.on('messageIn', ({ message }) => {
      if (message?.kind === 'response') responses.push(message.historyInfo.map(({ index }) => index))
    })
    const accepting = w.invites[1]!.accept({ sdp })
    const [a] = await w.scenario.settle(Promise.all([calling, accepting]))
    expect(responses[0]).toEqual(['1', '1.1', '1.2'])
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('RFC 7044 §9.3, §10.2: one target after another: silence counts as 408, a refusal as itself', async () => {
    const targets = [
      { uri: 'sip:nobody@10.0.0.9', q: 1 },
      { uri: bobUri, q: 0.5 },
      { uri: carolUri, q: 0.1 },
    ]
    const w = await guarded((request) =>
      request.proxy(targets, { history: true, mode: 'serial', branchTimeoutMs: 1_000 }),
    )
    call(w).catch(() => {})
    await w.scenario.pass(1_500)
    w.invites[0]?.reply(486)
    await w.scenario.pass(50)
    const entries = w.invites[1]?.message.historyInfo ?? []
    expect(entries.map(({ index, reasons }) => [index, reasons[0]?.cause])).toEqual([
      ['1', undefined],
      ['1.1', 408],
      ['1.2', 486],
      ['1.3', undefined],
    ])
    w.invites[1]?.reply(486)
    await w.scenario.pass(100_000)
    await drained(w)
  })

  it('RFC 7044 §9.4: only who supports it hears of it, with what happened further on', async () => {
    for (const supports of [true, false]) {
      const w = await guarded((request) => request.proxy(bobUri, { history: true }))
      const { alice } = w
      const seen: (readonly string[])[] = []
      alice.on('messageIn', ({ message }) => {
        if (message?.kind === 'response' && message.status > 100) seen.push(message.historyInfo.map(String))
      })
      w.bob.method('MESSAGE', (request) => {
        const below = [...(history(request) ?? []), '<sip:deep@10.0.0.8>;index=1.1.1;rc=1.1']
        request.reply(200, { headers: below.map((line) => ['History-Info', line] as const) })
      })
      const sent = alice.request({
        method: 'MESSAGE',
        uri: 'sip:bob@example.com',
        headers: supports ? [['Supported', 'histinfo']] : [],
        destination: proxyAddress,
        body: 'x',
        contentType: 'text/plain',
      })
      await w.scenario.settle(sent)
      expect(seen).toEqual([
        supports
          ? [
              '<sip:bob@example.com>;index=1',
              '<sip:bob@10.0.0.3>;index=1.1;rc=1',
              '<sip:deep@10.0.0.8>;index=1.1.1;rc=1.1',
            ]
          : [],
      ])
    }
  })

  it('RFC 7044 §10.1: private entries name nobody outside of the trust domain', async () => {
    const w = await guarded((request) => request.proxy([bobUri, carolUri], { history: { trust, isPrivate: true } }))
    const headers = [
      ['Privacy', 'history'] as const,
      ['History-Info', '<sip:old@example.com>;index=1, <sip:bob@example.com>;index=1.1;mp=1'] as const,
    ]
    call(w, { headers }).catch(() => {})
    await w.scenario.pass(50)
    expect(history(w.invites[0])).toEqual([
      '<sip:old@example.com>;index=1',
      '<sip:bob@example.com>;index=1.1;mp=1',
      '<sip:bob@10.0.0.3?Privacy=history>;index=1.1.1;rc=1.1',
    ])
    expect(history(w.invites[1])?.every((entry) => entry.startsWith('<sip:anonymous@anonymous.invalid>'))).toBe(true)
    expect(w.invites[1]?.message.historyInfo.map(({ index }) => index)).toEqual(['1', '1.1', '1.1.2'])
    for (const phone of w.invites) phone.reply(486)
    await drained(w)
  })

  it('one that cannot be read passes as it is', async () => {
    const w = await guarded((request) => request.proxy(bobUri, { history: true }))
    const broken = ['<sip:bob@example.com>;index=1..2', `<sip:bob@example.com>;index=${'1'.repeat(10_000)}`]
    for (const [turn, value] of broken.entries()) {
      const calling = call(w, { headers: [['History-Info', value]] })
      calling.catch(() => {})
      await w.scenario.pass(50)
      expect(w.invites[turn]?.message.getAll('History-Info')).toEqual([value])
      w.invites[turn]?.reply(486)
      await expect(w.scenario.settle(calling)).rejects.toBeInstanceOf(CallFailedError)
    }
    await drained(w)
  })
})

describe('Diversion of a proxied request', () => {
  it('RFC 5806 §4: stays as it came, and a further one comes before it', async () => {
    const w = await guarded((request) =>
      request.proxy(bobUri, {
        headers: (target, hop) =>
          mergeChanges(
            trust.guard(request).headers(target, hop),
            divert(request.message, { from: request.uri, reason: 'unconditional', privacy: 'off' }),
          ),
      }),
    )
    const first = '"Old" <sip:old@example.com>;Reason=no-answer;counter=2'
    call(w, { headers: [['Diversion', first], ...forged.headers] }).catch(() => {})
    await w.scenario.pass(50)
    expect(w.invites[0]?.message.getAll('Diversion')).toEqual([
      '<sip:bob@example.com>;reason=unconditional;privacy=off',
      first,
    ])
    expect(asserted(w.invites[0])).toEqual([])
    w.invites[0]?.reply(486)
    await drained(w)
  })
})
