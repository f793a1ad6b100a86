#!/usr/bin/env node
/* Starts the command: reads the files, prints what the command says. */
'use strict'

const { open } = require('node:fs/promises')
const { version } = require('../package.json')
const { commandInputBytesMax, inspectFiles, planCommand } = require('../dist/cli.cjs')

async function readAll(stream) {
  const chunks = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    // One byte too many is enough for the verdict.
    if (size > commandInputBytesMax) break
  }
  return Buffer.concat(chunks)
}

async function readInput(name) {
  try {
    if (name === '-') return { name, bytes: await readAll(process.stdin) }
    const file = await open(name, 'r')
    return { name, bytes: await readAll(file.createReadStream()) }
  } catch (error) {
    return { name, error: error.code === 'ENOENT' ? 'there is no such file' : error.message }
  }
}

async function main() {
  const plan = planCommand(process.argv.slice(2), version)
  if (plan.kind === 'exit') return { code: plan.code, stdout: plan.stdout, stderr: plan.stderr }
  const inputs = []
  for (const name of plan.files) inputs.push(await readInput(name))
  const isColourful = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  return inspectFiles(inputs, plan.options, isColourful)
}

// Whoever read the output may be gone.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

main().then(({ code, stdout, stderr }) => {
  process.exitCode = code
  process.stdout.write(stdout)
  process.stderr.write(stderr)
})
