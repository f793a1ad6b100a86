/**
 * baresip calls baresip through the server; each sends a tone and counts what it hears, in RTP and RTCP (RFC 3550).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CaseContext, InteropCase } from '../case.ts'
import { type AudioCounts, Baresip } from '../support/baresip.ts'
import { boundPortsBetween } from '../support/network.ts'
import { domain } from '../support/server.ts'

/** Long enough for the first RTCP reports, which baresip sends every five seconds. */
const talkMs = 7000
/** 50 packets a second with 20 ms each, less what the ends of the call take. */
const packetsMin = 250

export const phoneCases: readonly InteropCase[] = (['udp', 'tcp'] as const).map((transport) => ({
  name: `baresip calls baresip over ${transport.toUpperCase()} with audio both ways, nothing lost`,
  run: (context) => callBetweenPhones(context, transport),
}))

async function callBetweenPhones({ server, workDir }: CaseContext, transport: 'udp' | 'tcp'): Promise<void> {
  const phones: Baresip[] = []
  try {
    for (const toneHz of [400, 600]) {
      const user = server.takeUser()
      phones.push(await Baresip.start({ workDir, user, serverPort: server.port, transport, toneHz }))
    }
    const [caller, callee] = phones
    if (caller === undefined || callee === undefined) throw new Error('a phone is missing')
    caller.command('dial', `sip:${callee.user.name}@${domain}`)
    await Promise.all([caller.event('CALL_ESTABLISHED', 10_000), callee.event('CALL_ESTABLISHED', 10_000)])
    await Promise.all([caller.event('CALL_RTPESTAB', 5000), callee.event('CALL_RTPESTAB', 5000)])
    await sleep(talkMs)
    caller.command('hangup')
    await Promise.all([caller.event('CALL_CLOSED', 5000), callee.event('CALL_CLOSED', 5000)])
    const [sent, heard] = await Promise.all([caller.audioCounts(), callee.audioCounts()])
    checkDirection('caller to callee', sent, heard)
    checkDirection('callee to caller', heard, sent)
    await expectPortsGivenBack(server.mediaPortMin, server.mediaPortMax)
  } catch (error) {
    const tails = phones.map((phone) => `--- ${phone.program.name}\n${phone.program.tail(25)}`)
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${tails.join('\n')}`)
  } finally {
    await Promise.all(phones.map((phone) => phone.stop()))
  }
}

function checkDirection(name: string, from: AudioCounts, to: AudioCounts): void {
  const said = `${name}: sent ${from.packetsSent}, received ${to.packetsReceived}, lost ${to.lostReceived}`
  if (to.packetsReceived < packetsMin) throw new Error(`${said}; at least ${packetsMin} packets should arrive`)
  if (to.errorsReceived !== 0 || from.errorsSent !== 0) throw new Error(`${said}; errors were counted`)
  // Packets still on their way when the other side hangs up are not lost ones.
  if (from.packetsSent - to.packetsReceived > 5) throw new Error(`${said}; packets are missing`)
  if (to.lostReceived === undefined) throw new Error(`${said}; no RTCP report arrived`)
  if (to.lostReceived !== 0 || from.lostSent !== 0) throw new Error(`${said}, reported lost ${from.lostSent}`)
}

async function expectPortsGivenBack(first: number, last: number): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (boundPortsBetween(first, last) === 0) return
    await sleep(100)
  }
  throw new Error(`${boundPortsBetween(first, last)} media ports are still open after the call`)
}
