import type { SipResponse } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { proxyContextDefinition } from './context-machine'
import { type ContextEffect, type ContextInput, type ContextTarget, ResponseContext } from './response-context'

const response = (status: number) => ({ status }) as SipResponse
type Rig = { context: ResponseContext<ContextTarget>; give: (input: ContextInput<ContextTarget>) => string[] }

/** Two branches under way; effects as words. */
function rig(): Rig {
  const context = new ResponseContext<ContextTarget>({
    isInvite: true,
    mode: 'parallel',
    breadth: 60,
    targetsMax: 8,
    timerCMs: Number.POSITIVE_INFINITY,
    branchTimeoutMs: Number.POSITIVE_INFINITY,
    asks: false,
  })
  const give = (input: ContextInput<ContextTarget>) => {
    const out: ContextEffect<ContextTarget>[] = []
    context.handle(input, 0, out)
    return out.map((effect) => effect.kind)
  }
  give({ kind: 'start', targets: [{ q: 1 }, { q: 1 }, { q: 1 }] })
  return { context, give }
}

/** How each state of the context is reached, and what each of its inputs is on the outside. */
const paths: Readonly<Record<'forking' | 'closing' | 'answered', (rig: Rig) => void>> = {
  forking: () => {},
  closing: ({ give }) => void give({ kind: 'cancel' }),
  answered: ({ context, give }) => void give(final(context, 0, 200)),
}

function final(context: ResponseContext<ContextTarget>, index: number, status: number): ContextInput<ContextTarget> {
  return { kind: 'final', branch: context.branches[index]!, status, response: response(status), reason: 'status' }
}

describe('proxy-context', () => {
  it('does in every state what its table says', () => {
    const inputs = {
      provisional: ({ context, give }: Rig) =>
        give({ kind: 'provisional', branch: context.branches[1]!, response: response(180) }),
      success: ({ context, give }: Rig) => give(final(context, 1, 200)),
      failure: ({ context, give }: Rig) => give(final(context, 1, 404)),
      decline: ({ context, give }: Rig) => give(final(context, 1, 603)),
      cancel: ({ give }: Rig) => give({ kind: 'cancel' }),
      exhausted: (all: Rig) => {
        for (const index of [0, 1]) all.give(final(all.context, index, 404))
        return all.give(final(all.context, 2, 404))
      },
    }
    for (const state of ['forking', 'closing', 'answered'] as const) {
      for (const [name, give] of Object.entries(inputs) as [keyof typeof inputs, (rig: Rig) => string[]][]) {
        const all = rig()
        paths[state](all)
        expect(all.context.state).toBe(state)
        const effects = give(all)
        const decision = proxyContextDefinition.table[state][name]
        if (typeof decision === 'string') expect([name, effects], state).toEqual([name, []])
        else {
          expect([name, all.context.state], state).toEqual([name, decision.next])
          expect(effects.includes('forward'), `${state} ${name}`).toBe(
            decision.run.some((run) => run.startsWith('forward')),
          )
          expect(effects.includes('answer'), `${state} ${name}`).toBe(decision.run.includes('answer'))
          expect(effects.includes('ended'), `${state} ${name}`).toBe(decision.run.includes('end'))
        }
      }
    }
  })
})
