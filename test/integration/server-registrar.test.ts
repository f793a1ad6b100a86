import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Harness, USERS } from './server-harness'

let harness: Harness
beforeAll(async () => {
  harness = await Harness.start()
})
afterAll(() => harness.close())

type Register = {
  contact?: string
  expires?: number
  to?: string
  password?: string
  username?: string
  headers?: [string, string][]
}

async function register(extension: string, options: Register = {}) {
  const agent = await harness.phone(extension, { register: false })
  const { host, port } = harness.listener()
  const to = `<sip:${options.to ?? extension}@${host}:${port}>`
  const password = options.password ?? USERS.find((user) => user.extension === extension)?.password
  const response = await agent.stack.request({
    method: 'REGISTER',
    uri: `sip:${host}:${port}`,
    from: to,
    to,
    contact: options.contact ?? true,
    headers: [['Expires', options.expires ?? 300], ...(options.headers ?? [])],
    ...(password === undefined ? {} : { credentials: { username: options.username ?? extension, password } }),
  })
  return { agent, response }
}

describe('registrar', () => {
  it('RFC 3261 §10.3: registers with digest and lists every contact with its time left', async () => {
    const first = await register('1001')
    expect(first.response.status).toBe(200)
    expect(first.response.contacts).toHaveLength(1)
    expect(first.response.contacts[0]?.expires).toBe(300)
    expect(first.response.has('Date')).toBe(true)
    const second = await register('1001', { contact: '<sip:1001@192.0.2.77:5062>;q=0.5' })
    expect(second.response.contacts).toHaveLength(2)
    expect(second.response.contacts[1]?.q).toBe(0.5)
    expect(await first.agent.register(0)).toBe(200)
    const listing = await register('1001', { contact: '<sip:1001@192.0.2.77:5062>', expires: 120 })
    expect(listing.response.contacts).toHaveLength(1)
    expect(listing.response.contacts[0]?.expires).toBe(120)
  })

  it('RFC 3261 §10.2.2: removes every contact of the extension for *', async () => {
    await register('1003')
    await register('1003', { contact: '<sip:1003@192.0.2.77>' })
    const { response } = await register('1003', { contact: '*', expires: 0 })
    expect(response.status).toBe(200)
    expect(response.contacts).toHaveLength(0)
    expect((await register('1003', { contact: '*', expires: 60 })).response.status).toBe(400)
  })

  it('RFC 3261 §10.3 step 7: refuses a registration that is too short with 423 and Min-Expires', async () => {
    const { response } = await register('1002', { expires: 5 })
    expect(response.status).toBe(423)
    expect(response.minExpires).toBe(60)
  })

  it('RFC 8760 §2.4: challenges with SHA-256 first and then MD5', async () => {
    const { host, port } = harness.listener()
    const agent = await harness.phone('1001', { register: false })
    const response = await agent.stack.request({
      method: 'REGISTER',
      uri: `sip:${host}:${port}`,
      from: `<sip:1001@${host}>`,
      to: `<sip:1001@${host}>`,
    })
    expect(response.status).toBe(401)
    expect(response.wwwAuthenticate.map((challenge) => challenge.algorithm)).toEqual(['SHA-256', 'MD5'])
    expect(new Set(response.wwwAuthenticate.map((challenge) => challenge.nonce)).size).toBe(1)
  })

  it('gives a wrong password and an unknown user the same answer', async () => {
    const wrong = (await register('1001', { password: 'wrong' })).response
    const unknown = (await register('7777', { password: 'wrong' })).response
    const shape = (response: typeof wrong) => [
      response.status,
      response.reason,
      [...response.headers()].map(({ name }) => name),
      response.wwwAuthenticate.map((challenge) => [...challenge.params.keys()]),
    ]
    expect(wrong.status).toBe(401)
    expect(shape(unknown)).toEqual(shape(wrong))
  })

  it('lets nobody register the extension of another', async () => {
    const { response } = await register('1001', { to: '1002' })
    expect(response.status).toBe(403)
  })

  it('never lets a password or a digest reach the log, and says who failed', async () => {
    const line = await harness.logged('login.failed', (fields) => fields.username === '7777')
    expect(line).toMatchObject({ level: 'warn', method: 'REGISTER', address: '127.0.0.1' })
  })

  it('blocks an address that keeps guessing, but nobody else and no request without credentials', async () => {
    const own = await Harness.start()
    try {
      const guess = await own.phone('1002', { password: 'guess', register: false })
      const answers: number[] = []
      for (let i = 0; i < 30; i++) answers.push(await guess.register())
      expect(answers[0]).toBe(401)
      expect(answers.at(-1)).toBe(403)
      const other = await own.phone('1001', { register: false })
      expect(await other.register()).toBe(200)
      const { host, port } = own.listener()
      const plain = await guess.stack.request({
        method: 'REGISTER',
        uri: `sip:${host}:${port}`,
        from: `<sip:1002@${host}>`,
        to: `<sip:1002@${host}>`,
      })
      expect(plain.status).toBe(401)
    } finally {
      await own.close()
    }
  })

  it('RFC 3261 §11.2: answers OPTIONS with what it can do', async () => {
    const { host, port } = harness.listener()
    const agent = await harness.phone('1001', { register: false })
    const response = await agent.stack.request({ method: 'OPTIONS', uri: `sip:${host}:${port}` })
    expect(response.status).toBe(200)
    expect(response.allow).toContain('INVITE')
    expect(response.get('Accept')).toBe('application/sdp')
  })

  it('answers for its own domain only, once it has been given one', async () => {
    const own = await Harness.start({ domain: 'phones.example.com' })
    try {
      const { host, port } = own.listener()
      const agent = await own.phone('1001', { register: false })
      const request = (domain: string) =>
        agent.stack.request({
          method: 'REGISTER',
          uri: `sip:${domain}`,
          from: `<sip:1001@${domain}>`,
          to: `<sip:1001@${domain}>`,
          contact: true,
          destination: { transport: 'UDP', address: host, port },
          credentials: { username: '1001', password: 'correct horse 1001' },
        })
      const mine = await request('phones.example.com')
      expect(mine.status).toBe(200)
      expect((await request('other.example.com')).status).toBe(404)
      expect((await request(host)).status).toBe(200)
    } finally {
      await own.close()
    }
  })
})
