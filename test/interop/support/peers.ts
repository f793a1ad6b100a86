/**
 * SIPp on one side and a stack of ours on the other, in either role. Both have to be content: SIPp with what it got, step
 * by step, and our side with what it saw.
 */
import type { Call, InviteOptions } from '@carillon/sip-transaction'
import type { Endpoint } from './endpoint.ts'
import { loopback } from './network.ts'
import { type Step, scenario } from './scenario.ts'
import { runSipp, Sipp } from './sipp.ts'

/** Over what, and whether SIPp repeats by itself. */
export interface PeerOptions {
  readonly transport?: 'u1' | 't1'
  readonly repeats?: boolean
  readonly timeoutMs?: number
}

/** SIPp sends first. */
export async function sippCalls(
  endpoint: Endpoint,
  workDir: string,
  name: string,
  steps: readonly Step[],
  options: PeerOptions = {},
): Promise<void> {
  const target = endpoint.target(options.transport === 't1' ? 'TCP' : 'UDP')
  await runSipp({ workDir, scenario: name, xml: scenario(name, steps), target, ...options })
}

/** A SIPp that waits for a call of ours, and where it waits. */
export async function sippAnswers(
  workDir: string,
  name: string,
  steps: readonly Step[],
  options: PeerOptions = {},
): Promise<{ sipp: Sipp; uri: string }> {
  const sipp = await Sipp.start({ workDir, scenario: name, xml: scenario(name, steps), ...options })
  await sipp.listens()
  const transport = options.transport === 't1' ? ';transport=tcp' : ''
  return { sipp, uri: `sip:sipp@${loopback}:${sipp.port}${transport}` }
}

/** We call SIPp, do with the call what `during` says, and both sides come to the end of it. */
export async function callSipp(
  endpoint: Endpoint,
  workDir: string,
  name: string,
  steps: readonly Step[],
  during: (call: Call) => Promise<void>,
  options: PeerOptions & { readonly invite?: InviteOptions } = {},
): Promise<void> {
  const { invite, ...rest } = options
  const { sipp, uri } = await sippAnswers(workDir, name, steps, rest)
  await withSipp(sipp, async () => {
    const call = await endpoint.stack.invite(uri, invite ?? {})
    await during(call)
    await call.ended
  })
}

/** Our part while SIPp runs. The first to fail says why; SIPp is ended in any case. */
export async function withSipp(sipp: Sipp, ours: () => Promise<void>): Promise<void> {
  try {
    await Promise.all([ours(), sipp.passes()])
  } finally {
    sipp.program.kill()
  }
}
