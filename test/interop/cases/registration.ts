/**
 * Registration and OPTIONS: SIPp and sipsak as phones that only register or ask (RFC 3261 §10, §11, §22).
 */
import type { InteropCase } from '../case.ts'
import { freePort, loopback } from '../support/network.ts'
import { Program } from '../support/program.ts'
import { runSipp } from '../support/sipp.ts'

export const registrationCases: readonly InteropCase[] = [
  {
    name: 'SIPp registers with digest over UDP',
    run: ({ server, workDir }) =>
      runSipp({ workDir, scenario: 'register', target: server.target, user: server.takeUser() }),
  },
  {
    name: 'SIPp registers with digest over TCP',
    run: ({ server, workDir }) =>
      runSipp({ workDir, scenario: 'register', target: server.target, user: server.takeUser(), transport: 't1' }),
  },
  {
    name: 'SIPp with a wrong password is refused',
    run: ({ server, workDir }) => {
      const user = { name: server.takeUser().name, password: 'not the password' }
      return runSipp({ workDir, scenario: 'register-refused', target: server.target, user })
    },
  },
  {
    name: 'SIPp as an unknown user is refused the same way',
    run: ({ server, workDir }) =>
      runSipp({
        workDir,
        scenario: 'register-refused',
        target: server.target,
        user: { name: '7777777', password: 'whatever' },
      }),
  },
  {
    name: 'SIPp removes its registration, and a call to it gets 480',
    run: async ({ server, workDir }) => {
      const callee = server.takeUser()
      const port = await freePort()
      const target = server.target
      await runSipp({ workDir, scenario: 'register', target, user: callee, port })
      await runSipp({ workDir, scenario: 'unregister', target, user: callee, port })
      await runSipp({
        workDir,
        scenario: 'uac-refused',
        target,
        user: server.takeUser(),
        callee: callee.name,
        replace: { STATUS: '480' },
      })
    },
  },
  {
    name: 'sipsak gets an answer to OPTIONS',
    run: async ({ server, workDir }) => {
      const program = new Program({
        name: 'sipsak',
        command: 'sipsak',
        args: ['-v', '-s', `sip:${loopback}:${server.port}`],
        cwd: workDir,
      })
      const exit = await program.waitForExit(10_000)
      if (exit.code !== 0) throw new Error(`sipsak ended with ${exit.code}\n${program.tail()}`)
    },
  },
]
