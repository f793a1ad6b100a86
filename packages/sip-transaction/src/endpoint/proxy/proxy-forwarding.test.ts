import { describe, expect, it } from 'vitest'
import { answered, bobUri, call, carolUri, drained, proxyAddress, sdp, world } from '../fixtures/proxy-scenario'
import { Scenario } from '../fixtures/scenario'
import type { IncomingRequest } from '../requests/incoming-request'

describe('what a proxy is told and asked', () => {
  it('tries the next gateway on 503, on silence and on what cannot be reached', async () => {
    const failures: string[] = []
    const w = await world('sip:gw1@10.0.9.9;transport=tls', {
      recordRoute: true,
      branchTimeoutMs: 2_000,
      onBranchFailed: async ({ reason, status }) => {
        failures.push(`${reason} ${status}`)
        return ['sip:gw2@10.0.0.3', 'sip:gw3@10.0.9.8', 'sip:gw4@10.0.0.4'][failures.length - 1]
      },
    })
    const calling = call(w)
    await w.scenario.pass(20)
    w.invites[0]!.reply(503)
    await w.scenario.pass(2_100)
    expect(failures).toEqual(['transport 503', 'status 503', 'timeout 408'])
    const accepting = w.invites[1]!.accept({ sdp })
    await w.scenario.settle(Promise.all([calling, accepting]))
    expect(w.results).toEqual([200])
  })

  it('RFC 3261 §16.7 step 4: follows a redirection when it may, never to the same place twice', async () => {
    const w = await world(bobUri, { recurse: true })
    const calling = call(w)
    await w.scenario.pass(20)
    w.invites[0]!.reply(302, {
      contact: `<${bobUri}>, <${carolUri};method=BYE?Subject=x>;q=0.5, <mailto:bob@example.com>`,
    })
    await w.scenario.pass(20)
    expect(w.invites.map((invite) => invite.uri.toString())).toEqual([bobUri, carolUri])
    w.invites[1]!.reply(302, { contact: `<${bobUri}>` })
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 302 })
    await drained(w)
  })

  it.each([
    ['430 of its edge', 430],
    ['408 of its edge', 408],
  ])('RFC 5626 §7: after %s the next flow of the same device is tried, and nobody is asked', async (_, status) => {
    const asked: number[] = []
    const flow = (uri: string) => ({ uri, instance: 'urn:uuid:1' })
    const w = await world([flow(bobUri), flow(carolUri)], {
      onBranchFailed: (failure) => {
        asked.push(failure.status)
        return undefined
      },
    })
    const calling = call(w)
    await w.scenario.pass(20)
    expect(w.invites.map((invite) => invite.uri.toString())).toEqual([bobUri])
    w.invites[0]!.reply(status)
    await w.scenario.pass(20)
    expect(w.invites.map((invite) => invite.uri.toString())).toEqual([bobUri, carolUri])
    expect(asked).toEqual([])
    w.invites[1]!.reply(status)
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status })
    expect(asked).toEqual([status])
    await drained(w)
  })

  it('RFC 5626 §5.3, §7: a flow that is gone, and one that leads nowhere, are followed by the next; other devices ring meanwhile', async () => {
    const dead = { uri: 'sip:bob@10.0.0.9', flowId: 4_711, instance: 'urn:uuid:1' }
    const nowhere = { uri: 'sip:bob@10.0.0.9', routes: ['<sip:10.0.0.9;transport=tls;lr>'], instance: 'urn:uuid:1' }
    const w = await world([
      dead,
      { uri: carolUri, instance: 'urn:uuid:2' },
      nowhere,
      { uri: bobUri, instance: 'urn:uuid:1' },
    ])
    const calling = call(w)
    await w.scenario.pass(50)
    expect(w.invites.map((invite) => invite.uri.toString()).sort()).toEqual([bobUri, carolUri])
    const bobs = w.invites.find(({ uri }) => uri.toString() === bobUri)!
    await w.scenario.settle(Promise.all([calling, bobs.accept({ sdp })]))
    expect(w.results).toEqual([200])
  })

  it('RFC 5626 §7: what a device has answered itself goes to none of its other flows', async () => {
    const flow = (uri: string) => ({ uri, instance: 'urn:uuid:1' })
    const w = await world([flow(bobUri), flow(carolUri)])
    const calling = call(w)
    await w.scenario.pass(20)
    w.invites[0]!.reply(486)
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 486 })
    expect(w.invites).toHaveLength(1)
    await drained(w)
  })

  it('RFC 5626 §7: a caller who gave up is connected by no other flow', async () => {
    const flow = (uri: string) => ({ uri, instance: 'urn:uuid:1' })
    const abort = new AbortController()
    const w = await world([flow(bobUri), flow(carolUri)])
    const calling = call(w, { signal: abort.signal }).catch((error: unknown) => error)
    await w.scenario.pass(20)
    abort.abort()
    await w.scenario.pass(20)
    await w.scenario.settle(calling)
    expect(w.invites).toHaveLength(1)
    await drained(w)
  })

  it.each([
    ['the address and port that it came to', 'sip:bob@example.com;maddr=10.0.0.2', 'sip:bob@example.com'],
    [
      'them by name',
      'sip:bob@example.com:5060;maddr=10.0.0.2;transport=udp;user=phone',
      'sip:bob@example.com;user=phone',
    ],
    ['another port', 'sip:bob@example.com:5070;maddr=10.0.0.2', undefined],
    ['another transport', 'sip:bob@example.com;maddr=10.0.0.2;transport=tcp', undefined],
    ['another host', 'sip:bob@example.com;maddr=10.0.0.77', undefined],
  ])('RFC 3261 §16.4: a maddr that names us is taken off the Request-URI: %s', async (_, uri, left) => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const proxy = await scenario.stack('proxy', { proxy: true })
    const bob = await scenario.stack('bob')
    const seen: string[] = []
    bob.method('MESSAGE', (request) => {
      seen.push(request.uri.toString())
      request.reply(200)
    })
    proxy.use((request) => request.proxy({ uri: request.uri, nextHop: 'sip:10.0.0.3' }))
    const response = await scenario.settle(
      alice.request({ method: 'MESSAGE', uri, destination: proxyAddress, body: '' }),
    )
    expect(response.status).toBe(200)
    expect(seen).toEqual([left ?? uri])
  })

  it('aborting cancels the branches, and the caller gets 487', async () => {
    const abort = new AbortController()
    const w = await world([bobUri, carolUri], { signal: abort.signal })
    const calling = call(w)
    await w.scenario.pass(50)
    abort.abort()
    await expect(w.scenario.settle(calling)).rejects.toMatchObject({ status: 487 })
    expect(w.scenario.ladder).toContain('proxy>carol CANCEL')
    await drained(w)
  })

  it('a hook that throws, or never answers, fails nothing', async () => {
    const throwing = await world(bobUri, {
      onBranchFailed: () => {
        throw new Error('no')
      },
      onResponse: () => {
        throw new Error('no')
      },
    })
    const first = call(throwing)
    await throwing.scenario.pass(20)
    throwing.invites[0]!.reply(404)
    await expect(throwing.scenario.settle(first)).rejects.toMatchObject({ status: 404 })
    const silent = await world(bobUri, { onBranchFailed: () => new Promise(() => {}) })
    const second = call(silent, { timeoutMs: 3_600_000 })
    await silent.scenario.pass(20)
    silent.invites[0]!.reply(404)
    // The caller gives up by its timer C.
    await expect(silent.scenario.settle(second, 700_000)).rejects.toMatchObject({ status: 404 })
    expect(silent.results).toEqual([404])
    await silent.scenario.pass(600_000)
    await drained(silent)
  })

  it('headers are removed, set and added both ways, and what belongs to the core stays', async () => {
    const w = await world([{ uri: bobUri, headers: [['X-Target', 'one']] }], {
      headers: { remove: ['X-Secret'], set: [['User-Agent', 'proxy']], add: [['X-Added', 'yes']] },
      responseHeaders: { remove: ['Server'], add: [['X-Back', 'yes']] },
    })
    w.bob.method('MESSAGE', (request) => {
      const { message } = request
      const seen = ['X-Secret', 'User-Agent', 'X-Added', 'X-Target', 'Max-Breadth'].map(
        (name) => message.get(name) ?? '-',
      )
      request.reply(200, {
        headers: [
          ['X-Seen', seen.join()],
          ['Server', 'bob'],
        ],
      })
    })
    const headers = [
      ['X-Secret', 's'],
      ['User-Agent', 'alice'],
    ] as const
    const message = { method: 'MESSAGE', uri: 'sip:bob@example.com', destination: proxyAddress, headers }
    const response = await w.scenario.settle(w.alice.request(message))
    expect(response.get('X-Seen')).toBe('-,proxy,yes,one,60')
    expect([response.get('Server'), response.get('X-Back')]).toEqual([undefined, 'yes'])
    await drained(w)
  })

  it('takes a URI for a target, as text or as the request has it, and refuses what is none', async () => {
    const w = await world()
    const other = await w.scenario.stack('other', { proxy: true })
    const refused: unknown[] = []
    other.method('MESSAGE', async (request) => {
      for (const wrong of ['no uri', { uri: bobUri, q: 2 }]) {
        await request.proxy(wrong).catch((error: { code?: string }) => refused.push(error.code))
      }
      return request.proxy([request.uri, request.uri])
    })
    w.bob.method('MESSAGE', (request) => request.reply(202))
    const destination = { transport: 'UDP', address: '10.0.0.5', port: 5060 }
    const response = await w.scenario.settle(w.alice.request({ method: 'MESSAGE', uri: bobUri, destination }))
    expect([response.status, ...refused]).toEqual([202, 'TARGET_INVALID', 'TARGET_INVALID'])
    expect(w.scenario.ladder.filter((line) => line === 'other>bob MESSAGE')).toHaveLength(1)
  })

  it('is asked once: a request that has been proxied cannot be answered, nor the other way round', async () => {
    const w = await world()
    const errors: unknown[] = []
    w.proxy.method('MESSAGE', () => {})
    const scenario = w.scenario
    const other = await scenario.stack('other')
    other.method('MESSAGE', async (request) => {
      const proxying = request.proxy(bobUri)
      for (const again of [() => request.reply(200), () => request.forward(bobUri)]) {
        try {
          again()
        } catch (error) {
          errors.push((error as { code?: string }).code)
        }
      }
      await proxying
    })
    const destination = { transport: 'UDP', address: '10.0.0.5', port: 5060 }
    const response = await scenario.settle(w.alice.request({ method: 'MESSAGE', uri: 'sip:x@y.example', destination }))
    expect(response.status).toBe(405)
    expect(errors).toEqual(['ALREADY_ANSWERED', 'ALREADY_ANSWERED'])
  })
})

describe('forwarding without state', () => {
  async function statelessWorld() {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const proxy = await scenario.stack('proxy', { proxy: true })
    const bob = await scenario.stack('bob')
    const invites: IncomingRequest[] = []
    proxy.use((request) => request.forward(bobUri, { recordRoute: true }))
    bob.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
    return { scenario, alice, proxy, bob, invites }
  }

  it('RFC 3261 §16.11: a call goes through, and no transaction is kept', async () => {
    const { scenario, alice, proxy, invites } = await statelessWorld()
    const calling = alice.invite('sip:bob@example.com', { destination: proxyAddress, sdp })
    await scenario.pass(50)
    expect(proxy.stats().transactions).toBe(0)
    const [a] = await scenario.settle(Promise.all([calling, invites[0]!.accept({ sdp })]))
    await scenario.settle(a.bye())
    expect(scenario.ladder.slice(0, 6)).toEqual([
      'alice>proxy INVITE',
      'proxy>bob INVITE',
      'bob>proxy 180 INVITE',
      'proxy>alice 180 INVITE',
      'bob>proxy 200 INVITE',
      'proxy>alice 200 INVITE',
    ])
  })

  it('RFC 3261 §16.10, §16.11: CANCEL and the ACK of a failure go the way of their INVITE', async () => {
    const { scenario, alice, proxy, bob } = await statelessWorld()
    const abort = new AbortController()
    const calling = alice.invite('sip:bob@example.com', { destination: proxyAddress, sdp, signal: abort.signal })
    await scenario.pass(50)
    abort.abort()
    await expect(scenario.settle(calling)).rejects.toThrow()
    await scenario.pass(50)
    expect(scenario.ladder).toEqual(
      expect.arrayContaining(['proxy>bob CANCEL', 'proxy>alice 200 CANCEL', 'proxy>alice 487 INVITE', 'proxy>bob ACK']),
    )
    await scenario.pass(100_000)
    for (const stack of [proxy, bob]) expect(stack.stats()).toMatchObject({ transactions: 0, ringing: 0 })
  })
})

describe('flows and registrations behind a proxy', () => {
  it('RFC 3327 §5.2, RFC 5626 §5.3: requests to a registered contact come by its Path and its connection', async () => {
    const scenario = new Scenario()
    const phone = await scenario.stack('phone', { listen: ['tcp://10.0.0.1:5060'] })
    const edge = await scenario.stack('edge', { listen: ['udp://10.0.0.2:5060', 'tcp://10.0.0.2:5060'], proxy: true })
    const home = await scenario.stack('home')
    let path: readonly string[] = []
    home.method('REGISTER', (request) => {
      path = request.message.getAll('Path')
      request.reply(200)
    })
    edge.method('REGISTER', (request) => request.proxy('sip:home@10.0.0.3', { path: true }))
    const invites: IncomingRequest[] = []
    phone.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
    const destination = { transport: 'TCP', address: '10.0.0.2', port: 5060 }
    const registered = await scenario.settle(
      phone.request({
        method: 'REGISTER',
        uri: 'sip:example.com',
        destination,
        contact: '<sip:phone@10.9.9.9;transport=tcp>',
      }),
    )
    expect(registered.status).toBe(200)
    expect(path).toHaveLength(1)
    const calling = home.invite('sip:phone@10.9.9.9;transport=tcp', { routes: path, sdp })
    await scenario.pass(100)
    const [a, b] = await scenario.settle(Promise.all([calling, invites[0]!.accept({ sdp })]))
    // The way back inside the dialog: two transports, two Record-Routes, and the flow in place of an address that is none.
    await scenario.settle(a.bye())
    await scenario.settle(b.ended)
    expect(scenario.ladder).toEqual(expect.arrayContaining(['home>edge BYE', 'edge>phone BYE', 'phone>edge 200 BYE']))
    scenario.network.resetStreams('10.0.0.1', '10.0.0.2')
    await scenario.pass(100)
    await expect(
      scenario.settle(home.invite('sip:phone@10.9.9.9;transport=tcp', { routes: path, sdp })),
    ).rejects.toMatchObject({ status: 430 })
    const forged = path.map((value) => value.replace(/rp=\w/, 'rp=9'))
    await expect(
      scenario.settle(home.invite('sip:phone@10.9.9.9;transport=tcp', { routes: forged, sdp })),
    ).rejects.toMatchObject({ status: 405 })
  })

  it('RFC 3261 §16.12.1.2: a strict router before us puts us into the Request-URI; the target is the last Route', async () => {
    const w = await world()
    const seen: string[] = []
    w.bob.on('messageIn', ({ bytes }) => seen.push(Buffer.from(bytes).toString()))
    const { b } = await answered(w)
    const invite = seen[0]!
    const ack = seen.find((text) => text.startsWith('ACK'))!
    const line = (text: string, name: string) => new RegExp(`^${name}: (.*)\\r`, 'm').exec(text)?.[1] ?? ''
    const us = /<([^>]*)>/.exec(line(invite, 'Record-Route'))?.[1] ?? ''
    const raw = await w.scenario.raw('strict')
    raw.send('10.0.0.2', [
      `INFO ${us} SIP/2.0`,
      'Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bKstrict',
      ...['From', 'To', 'Call-ID'].map((name) => `${name}: ${line(ack, name)}`),
      'CSeq: 9 INFO',
      'Max-Forwards: 9',
      `Route: <${bobUri}>`,
      'Content-Length: 0',
    ])
    await w.scenario.pass(50)
    const info = seen.find((text) => text.startsWith('INFO')) ?? ''
    expect(info).toMatch(new RegExp(`^INFO ${bobUri} SIP`))
    expect(line(info, 'Route')).toBe('')
    // Its CSeq number was higher than those of the caller's own requests.
    await w.scenario.settle(b.bye())
    await drained(w)
  })

  it('proxies with the same secret stand for each other, and know each other by name', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const options = { proxy: { secret: 'shared', names: ['sip.example.com'] } }
    const one = await scenario.stack('one', options)
    const bob = await scenario.stack('bob')
    const two = await scenario.stack('two', options)
    const stranger = await scenario.stack('stranger', { proxy: true })
    for (const proxy of [one, two, stranger])
      proxy.use((request) => request.proxy('sip:bob@10.0.0.3', { recordRoute: true }))
    const seen: string[] = []
    bob.on('messageIn', ({ bytes }) => seen.push(Buffer.from(bytes).toString()))
    bob.method('INVITE', (request) => request.reply(200, { body: sdp }))
    const destination = { transport: 'UDP', address: '10.0.0.2', port: 5060 }
    const headers = [['Route', '<sip:sip.example.com;lr>']] as const
    const call = await scenario.settle(alice.invite('sip:bob@example.com', { destination, sdp, headers }))
    expect(seen[0]).not.toMatch(/^Route:/m)
    const lines = seen[1]!.split('\r\n').filter((each) => /^(From|To|Call-ID):/.test(each))
    const route = /Record-Route: (<[^>]*>)/.exec(seen[0]!)?.[1]
    const raw = await scenario.raw('raw')
    const ask = async (host: string, branch: string) => {
      const via = `Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bK${branch}`
      raw.send(host, [
        'INFO sip:bob@10.0.0.3 SIP/2.0',
        via,
        ...lines,
        'CSeq: 5 INFO',
        `Route: ${route}`,
        'Content-Length: 0',
      ])
      await scenario.pass(20)
    }
    await ask('10.0.0.4', 'two')
    expect(scenario.ladder).toContain('two>bob INFO')
    await ask('10.0.0.5', 'stranger')
    expect(scenario.ladder).not.toContain('stranger>bob INFO')
    await scenario.settle(call.bye())
  })

  it('RFC 5658 §5: where the sides differ in transport there are two Record-Routes, and both sides end calls by them', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice', { listen: ['tcp://10.0.0.1:5060'] })
    const proxy = await scenario.stack('proxy', { listen: ['udp://10.0.0.2:5060', 'tcp://10.0.0.2:5060'], proxy: true })
    const bob = await scenario.stack('bob')
    proxy.use((request) => request.proxy('sip:bob@10.0.0.3', { recordRoute: true }))
    const routes: string[][] = []
    const called: Promise<{ bye(): Promise<void> }>[] = []
    bob.method('INVITE', (request) => {
      routes.push(request.message.recordRoutes.map(({ uri }) => uri.toString().replace(/;rr=.*/, '')))
      called.push(request.accept({ sdp }))
    })
    const destination = { transport: 'TCP', address: '10.0.0.2', port: 5060 }
    for (const side of ['caller', 'callee']) {
      const a = await scenario.settle(alice.invite('sip:bob@example.com', { destination, sdp }))
      const b = await scenario.settle(called.at(-1)!)
      await scenario.settle(side === 'caller' ? a.bye() : b.bye())
    }
    expect(routes[0]).toEqual(['sip:10.0.0.2:5060;lr', 'sip:10.0.0.2:5060;transport=tcp;lr'])
    expect(scenario.ladder.filter((line) => line.endsWith(' BYE') && !line.includes('200'))).toEqual([
      'alice>proxy BYE',
      'proxy>bob BYE',
      'bob>proxy BYE',
      'proxy>alice BYE',
    ])
  })
})
