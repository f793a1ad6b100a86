/**
 * Runs inside an empty folder with the packed packages installed. On a Node that the server supports, `carillon start`
 * serves a call between two registered user agents; on an older one the command says in one line what it needs.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SipStack } from '@carillon/sip-transaction'

const [major, minor] = process.versions.node.split('.').map(Number)
const isSupported = major > 22 || (major === 22 && minor >= 13)
const dataDir = mkdtempSync(join(tmpdir(), 'carillon-smoke-'))
const port = await freePort()
const server = spawn(process.execPath, ['node_modules/@carillon/server/bin/carillon.cjs', 'start'], {
  env: {
    ...process.env,
    CARILLON_SIP_LISTEN: `udp://127.0.0.1:${port},tcp://127.0.0.1:${port}`,
    CARILLON_DOMAIN: '127.0.0.1',
    CARILLON_MEDIA_ADDRESS: '127.0.0.1',
    CARILLON_DATA_DIR: dataDir,
    CARILLON_USERS: '1001:first-secret,1002:second-secret',
  },
})
let output = ''
server.stdout.on('data', (chunk) => (output += chunk))
server.stderr.on('data', (chunk) => (output += chunk))
const exited = once(server, 'exit')
try {
  await (isSupported ? tryCall() : expectOneLine())
} finally {
  server.kill('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
}

async function expectOneLine() {
  const [code] = await exited
  assert.equal(code, 1)
  assert.equal(output.trim().split('\n').length, 1, output)
  assert.match(output, /22\.13/)
}

async function tryCall() {
  const deadline = Date.now() + 30_000
  while (!/ready/i.test(output)) {
    if (server.exitCode !== null || Date.now() > deadline)
      throw new Error(`carillon start did not get ready:\n${output}`)
    await new Promise((wake) => setTimeout(wake, 50))
  }
  const caller = await userAgent('1001', 'first-secret')
  const callee = await userAgent('1002', 'second-secret')
  let calleeEnded
  callee.stack.method('INVITE', async (request) => {
    request.reply(180)
    const call = await request.accept({ sdp: sdp(5006) })
    calleeEnded = call.ended
  })
  const call = await caller.stack.invite(`sip:1002@127.0.0.1:${port}`, {
    from: `sip:1001@127.0.0.1`,
    credentials: { username: '1001', password: 'first-secret' },
    sdp: sdp(5004),
  })
  assert.match(Buffer.from(call.remoteSdp).toString(), /m=audio \d+ RTP\/AVP 0/)
  assert.ok(!Buffer.from(call.remoteSdp).toString().includes('5006'), 'the answer must carry a port of the relay')
  await call.bye()
  assert.ok(calleeEnded, 'the callee has accepted')
  await calleeEnded
  await caller.stack.close()
  await callee.stack.close()
  server.kill('SIGTERM')
  const [code] = await exited
  assert.equal(code, 0, output)
}

async function userAgent(username, password) {
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
  const response = await stack.request({
    method: 'REGISTER',
    uri: `sip:127.0.0.1:${port}`,
    from: `sip:${username}@127.0.0.1`,
    to: `sip:${username}@127.0.0.1`,
    contact: `sip:${username}@127.0.0.1:${stack.listeners[0].port}`,
    headers: [['Expires', 300]],
    credentials: { username, password },
  })
  assert.equal(response.status, 200)
  return { stack }
}

function sdp(mediaPort) {
  return `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${mediaPort} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`
}

async function freePort() {
  const socket = createSocket('udp4')
  await new Promise((bound) => socket.bind(0, '127.0.0.1', bound))
  const { port: free } = socket.address()
  await new Promise((closed) => socket.close(closed))
  return free
}
