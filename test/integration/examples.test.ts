/** Each example, started as a program by its README line on a free port, does what its README says. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkAnswer, parseSdp } from '@carillon/sip-parser/sdp'
import { type IncomingRequest, type OutgoingRequestInit, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../support/certificates'
import { Program, serve, stopPrograms } from '../support/example-program'
import { files, importsOf, read } from '../support/repository'

const open: SipStack[] = []
const offer =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 8 101\r\n' +
  'a=rtpmap:101 telephone-event/8000\r\n'

async function phone(...listen: string[]): Promise<SipStack> {
  const stack = await SipStack.create({
    listen: listen.length === 0 ? ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] : listen,
  })
  open.push(stack)
  return stack
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await stopPrograms()
})

describe('options-responder', () => {
  it('answers OPTIONS on every listener, and ends in order', async () => {
    const { program, ports } = await serve(
      'options-responder',
      '--listen',
      'udp://127.0.0.1:0',
      '--listen',
      'tcp://127.0.0.1:0',
    )
    const socket = createSocket('udp4')
    socket.send(
      'OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKraw;rport\r\nFrom: <sip:a@b>;tag=1\r\n' +
        'To: <sip:a@b>\r\nCall-ID: raw\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n',
      ports[0],
      '127.0.0.1',
    )
    const [answer] = (await once(socket, 'message')) as [Buffer]
    socket.close()
    expect(answer.toString()).toMatch(/^SIP\/2\.0 200 OK\r\n[\s\S]*^Accept: application\/sdp\r$/m)
    const response = await (await phone()).request({
      method: 'OPTIONS',
      uri: `sip:127.0.0.1:${ports[1]};transport=tcp`,
    })
    expect(response.status).toBe(200)
    expect(await program.stop()).toBe(0)
  })
})

describe('registrar', () => {
  async function registrations(...args: string[]) {
    const { ports } = await serve('registrar', '--listen', 'udp://127.0.0.1:0', ...args)
    const stack = await phone()
    let cseq = 0
    return (init: Partial<OutgoingRequestInit> = {}, user = 'alice') => {
      cseq += 1
      const aor = `<sip:${user}@localhost>`
      return stack.request({
        method: 'REGISTER',
        uri: `sip:127.0.0.1:${ports[0]}`,
        from: aor,
        to: aor,
        callId: 'same',
        cseq,
        ...init,
      })
    }
  }

  it('keeps several contacts, lists them, refuses short lifetimes, and takes them back one by one or all', async () => {
    const register = await registrations()
    const contact = (address: string, seconds: number) => ({ contact: `<sip:alice@${address}>;expires=${seconds}` })
    expect((await register(contact('192.0.2.1', 300))).status).toBe(200)
    expect((await register(contact('192.0.2.2', 300))).contacts).toHaveLength(2)
    const refused = await register(contact('192.0.2.3', 10))
    expect([refused.status, refused.minExpires]).toEqual([423, 60])
    const listed = await register({ contact: false })
    expect(listed.contacts.map(({ uri }) => uri.toString()).sort()).toEqual([
      'sip:alice@192.0.2.1',
      'sip:alice@192.0.2.2',
    ])
    expect((await register({ contact: false }, 'bob')).contacts).toEqual([])
    expect((await register(contact('192.0.2.1', 0))).contacts).toHaveLength(1)
    expect((await register({ contact: '*', headers: [['Expires', 0]] })).contacts).toEqual([])
  })

  it('forgets a contact when its time is up', async () => {
    const register = await registrations('--min-expires', '1')
    await register({ contact: '<sip:alice@192.0.2.1>;expires=1' })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await register({ contact: false })).contacts).toEqual([])
  })

  it('asks for the password when there is one, and lets users register themselves only', async () => {
    const register = await registrations('--user', 'alice', '--password', 'secret', '--realm', 'test')
    const credentials = { username: 'alice', password: 'secret' }
    const challenged = await register({ contact: true })
    expect([challenged.status, challenged.wwwAuthenticate[0]?.realm]).toEqual([401, 'test'])
    expect(
      (await register({ contact: true, credentials: { ...credentials, password: 'wrong' }, cseq: 10 })).status,
    ).toBe(401)
    expect((await register({ contact: true, credentials, cseq: 20 })).status).toBe(200)
    expect((await register({ contact: true, credentials, cseq: 30 }, 'bob')).status).toBe(403)
  })
})

describe('uas', () => {
  it('rings, answers what it can of the offer, takes changes, and prints the ladder', async () => {
    const { program, ports } = await serve('uas', '--listen', 'udp://127.0.0.1:0', '--after', '300', '--trace')
    const stack = await phone()
    const rings: number[] = []
    const began = performance.now()
    const call = await stack.invite(`sip:uas@127.0.0.1:${ports[0]}`, {
      sdp: offer,
      onProvisional: ({ status }) => rings.push(status),
    })
    expect(performance.now() - began).toBeGreaterThan(290)
    expect(rings).toEqual([180])
    const [asked, given] = [parseSdp(offer), parseSdp(call.remoteSdp!)]
    expect(asked.ok && given.ok && checkAnswer(asked.value, given.value)).toEqual([])
    expect(given.ok && given.value.media[0]?.formats).toEqual(['8', '101'])
    const hold = await call.reinvite({ sdp: `${offer.replace(' 1 1 IN', ' 1 2 IN')}a=sendonly\r\n` })
    expect(Buffer.from(hold.body).toString()).toContain('a=recvonly')
    expect((await call.request('INFO')).status).toBe(200)
    await call.bye()
    await program.prints(/BYE[^\n]*\n[^\n]*─>/)
    expect(program.output).toContain('audio 127.0.0.1:4000 G729 PCMA telephone-event sendrecv')
    expect(program.output).toContain('200 OK (BYE)')
  })

  it('refuses an offer in which nothing fits, and makes one when the caller has none', async () => {
    const { ports } = await serve('uas', '--listen', 'udp://127.0.0.1:0')
    const stack = await phone()
    const uri = `sip:uas@127.0.0.1:${ports[0]}`
    const video = offer.replace('m=audio', 'm=video')
    await expect(stack.invite(uri, { sdp: video })).rejects.toMatchObject({ status: 488 })
    let offered = ''
    const call = await stack.invite(uri, {
      answer: (sdp) => {
        offered = Buffer.from(sdp).toString()
        return offer
      },
    })
    expect(offered).toMatch(/^m=audio \d+ RTP\/AVP 96 8 0 97\r$/m)
    await call.bye()
  })

  it('lets a caller give up while it rings', async () => {
    const { ports } = await serve('uas', '--listen', 'udp://127.0.0.1:0', '--after', '60000')
    const stack = await phone()
    const abort = new AbortController()
    const calling = stack.invite(`sip:uas@127.0.0.1:${ports[0]}`, {
      sdp: offer,
      signal: abort.signal,
      onProvisional: () => abort.abort(),
    })
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await stack.request({ method: 'OPTIONS', uri: `sip:127.0.0.1:${ports[0]}` })).status).toBe(200)
  })
})

describe('uac', () => {
  it('registers, calls with its password, and hangs up: exit code 0', async () => {
    const { ports } = await serve(
      'registrar',
      '--listen',
      'udp://127.0.0.1:0',
      '--user',
      'alice',
      '--password',
      'secret',
    )
    const program = new Program([
      ...['uac', '--to', `sip:bob@127.0.0.1:${ports[0]}`, '--from', 'sip:alice@localhost', '--user', 'alice'],
      ...['--password', 'secret', '--register'],
    ])
    // A registrar takes no calls.
    expect(await program.exited).toBe(1)
    expect(program.output).toMatch(/^registered: 200 OK$/m)
    expect(program.output).toContain('405')

    const callee = await phone()
    callee.method('INVITE', async (request) => {
      request.reply(180)
      await request.accept({ sdp: offer })
    })
    const caller = new Program(['uac', '--to', callee.listeners[0]!.uri.toString(), '--duration', '0.2', '--trace'])
    expect(await caller.exited).toBe(0)
    expect(caller.output).toMatch(/^calling .*\n180 Ringing\nanswered\nhung up\n/m)
    expect(caller.output).toContain('200 OK (BYE)')
  })

  it('has exit code 1 when refused, 3 when nobody is there, 2 when misunderstood', async () => {
    const callee = await phone()
    callee.method('INVITE', (request) => request.reply(486))
    const refused = new Program(['uac', '--to', callee.listeners[0]!.uri.toString()])
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const unheard = new Program(['uac', '--to', `sip:x@127.0.0.1:${silent.address().port}`, '--ring', '0.5'])
    const mistaken = new Program(['uac', '--too', 'sip:x@y'])
    expect(await Promise.all([refused.exited, unheard.exited, mistaken.exited])).toEqual([1, 3, 2])
    silent.close()
    expect(refused.output).toContain('486 Busy Here')
    expect(mistaken.output).toContain('usage: npm run example -- uac')
  })

  it('gives up ringing when it is told to end', async () => {
    const callee = await phone()
    const cancelled = new Promise<void>((resolve) => {
      callee.method('INVITE', (request) => {
        request.reply(180)
        request.signal.addEventListener('abort', () => resolve())
      })
    })
    const program = new Program(['uac', '--to', callee.listeners[0]!.uri.toString()])
    await program.prints(/180 Ringing/)
    await program.stop()
    await cancelled
  })
})

describe('websocket-gateway', () => {
  async function world() {
    const { ports } = await serve('websocket-gateway', '--listen', 'ws://127.0.0.1:0', '--listen', 'udp://127.0.0.1:0')
    const gateways = { ws: `sip:127.0.0.1:${ports[0]};transport=ws`, udp: `sip:127.0.0.1:${ports[1]}` }
    const join = async (name: string, kind: 'ws' | 'udp') => {
      const stack = await phone(`${kind}://127.0.0.1:0`)
      const aor = `<sip:${name}@example.com>`
      // A browser does not know its address (RFC 7118 §5.2).
      const contact = kind === 'ws' ? `<sip:${name}@9kq2.invalid;transport=ws>` : true
      const response = await stack.request({ method: 'REGISTER', uri: gateways[kind], from: aor, to: aor, contact })
      expect(response.status).toBe(200)
      const target = (callee: string) => gateways[kind].replace('sip:', `sip:${callee}@`)
      return { stack, aor, target }
    }
    return { join }
  }

  it('passes messages on between browser and phone, both ways', async () => {
    const { join } = await world()
    const [browser, desk] = [await join('browser', 'ws'), await join('desk', 'udp')]
    const heard: string[] = []
    const listen = (request: IncomingRequest) => {
      heard.push(`${request.from.uri} ${Buffer.from(request.body)}`)
      request.reply(202)
    }
    browser.stack.method('MESSAGE', listen)
    desk.stack.method('MESSAGE', listen)
    const text = { contentType: 'text/plain' }
    const toDesk = { method: 'MESSAGE', uri: browser.target('desk'), from: browser.aor, body: 'one', ...text }
    const toBrowser = { method: 'MESSAGE', uri: desk.target('browser'), from: desk.aor, body: 'two', ...text }
    expect((await browser.stack.request(toDesk)).status).toBe(202)
    expect((await desk.stack.request(toBrowser)).status).toBe(202)
    expect(heard).toEqual(['sip:browser@example.com one', 'sip:desk@example.com two'])
    const nobody = await desk.stack.request({ ...toBrowser, uri: desk.target('nobody') })
    expect(nobody.status).toBe(480)
  })

  it.each(['ws to udp', 'udp to ws', 'ws to ws'] as const)('connects calls from %s', async (way) => {
    const [from, to] = way.split(' to ') as ['ws' | 'udp', 'ws' | 'udp']
    const { join } = await world()
    const [caller, callee] = [await join('caller', from), await join('callee', to)]
    callee.stack.method('INVITE', async (request) => {
      request.reply(180)
      await request.accept({ sdp: offer })
    })
    const rings: number[] = []
    const call = await caller.stack.invite(caller.target('callee'), {
      from: caller.aor,
      sdp: offer,
      onProvisional: ({ status }) => rings.push(status),
    })
    expect(rings).toContain(180)
    expect(callee.stack.stats().calls).toBe(1)
    await call.bye()
    for (let attempt = 0; attempt < 100 && callee.stack.stats().calls > 0; attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(callee.stack.stats().calls).toBe(0)
  })

  it('takes only users with their password over a secure connection, and nobody under the name of another', async () => {
    const authority = await TestAuthority.create()
    const folder = await certificateFolder(authority)
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    try {
      const accounts = ['--account', 'alice:secret', '--account', 'bob:geheim']
      const tls = ['--tls-cert', certFile, '--tls-key', keyFile]
      const { ports } = await serve('websocket-gateway', '--listen', 'wss://127.0.0.1:0', ...tls, ...accounts)
      const uri = `sips:127.0.0.1:${ports[0]};transport=ws`
      const browser = async (name: string, password: string) => {
        const stack = await SipStack.create({ listen: ['wss://127.0.0.1:0'], tls: { ca: authority.cert } })
        open.push(stack)
        const from = `<sip:${name}@example.com>`
        const contact = `<sips:${name}@9kq2.invalid;transport=ws>`
        const credentials = { username: name, password }
        const register = () => stack.request({ method: 'REGISTER', uri, from, to: from, contact, credentials })
        return { stack, from, credentials, register }
      }
      const [alice, bob] = [await browser('alice', 'secret'), await browser('bob', 'geheim')]
      const registered = await alice.register()
      expect([registered.status, registered.get('Authentication-Info')]).toEqual([
        200,
        expect.stringContaining('rspauth'),
      ])
      expect((await bob.register()).status).toBe(200)
      expect((await (await browser('bob', 'guess')).register()).status).toBe(401)
      const heard: string[] = []
      bob.stack.method('MESSAGE', (request) => {
        heard.push(`${request.from.uri} ${Buffer.from(request.body)}`)
        request.reply(202)
      })
      const message = (from: string) =>
        alice.stack.request({
          method: 'MESSAGE',
          uri: uri.replace('sips:', 'sips:bob@'),
          from,
          body: 'hello',
          contentType: 'text/plain',
          credentials: alice.credentials,
        })
      expect((await message(alice.from)).status).toBe(202)
      expect((await message(bob.from)).status).toBe(403)
      expect(heard).toEqual(['sip:alice@example.com hello'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('answers 480 once a browser has closed its page', async () => {
    const { join } = await world()
    const [browser, desk] = [await join('browser', 'ws'), await join('desk', 'udp')]
    await browser.stack.close({ graceMs: 0 })
    const answer = await desk.stack.request({
      method: 'MESSAGE',
      uri: desk.target('browser'),
      body: 'hi',
      contentType: 'text/plain',
    })
    expect(answer.status).toBe(480)
  })
})

/** A folder with `cert.pem` and `key.pem` for 127.0.0.1. */
async function certificateFolder(authority: TestAuthority): Promise<string> {
  const { cert, key } = await authority.issue({ addresses: ['127.0.0.1'] })
  const folder = mkdtempSync(join(tmpdir(), 'carillon-'))
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  return folder
}

describe('examples', () => {
  const names = files.flatMap((path) => /^examples\/([a-z0-9-]+)\.ts$/.exec(path)?.[1] ?? [])
  const lines = [...read('examples/README.md').matchAll(/`npm run example -- ([^`]+)`/g)].map(([, line = '']) =>
    line.split(' '),
  )

  it('have a line each in their README, and are in that of the repository', () => {
    expect([...new Set(lines.map(([name]) => name))].filter((name) => name !== 'NAME').sort()).toEqual(names.sort())
    for (const name of names) expect(read('README.md')).toContain(`npm run example -- ${name}`)
  })

  it('start by their README lines, and end in order', async () => {
    const servers = lines.filter(([name]) => name !== 'NAME' && name !== 'uac' && name !== 'click-to-dial')
    expect(servers.length).toBeGreaterThanOrEqual(4)
    const folder = await certificateFolder(await TestAuthority.create())
    try {
      const here = (word: string) => word.replace(/:\d+$/, ':0').replace(/^\w+\.pem$/, (file) => join(folder, file))
      const started = await Promise.all(servers.map((line) => serve(...line.map(here))))
      expect(await Promise.all(started.map(({ program }) => program.stop()))).toEqual(servers.map(() => 0))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('import what a program outside of the repository could', () => {
    const foreign = files
      .filter((path) => path.startsWith('examples/') && path.endsWith('.ts'))
      .flatMap((path) => importsOf(path).map(({ specifier }) => specifier))
      .filter((specifier) => !/^(node:|@carillon\/|\.\/)/.test(specifier))
    expect(foreign).toEqual([])
  })

  it('say what there is when a name is wrong', async () => {
    const program = new Program(['nothing'])
    expect(await program.exited).toBe(2)
    expect(program.output).toContain(names.sort().join('|'))
  })

  it('say in one line that an address is taken', async () => {
    const { ports } = await serve('options-responder', '--listen', 'udp://127.0.0.1:0')
    const second = new Program(['options-responder', '--listen', `udp://127.0.0.1:${ports[0]}`])
    expect(await second.exited).toBe(1)
    expect(second.output.trim().split('\n')).toHaveLength(1)
  })
})
