#!/usr/bin/env node
/* Starts the command. Written so that any old Node can read it and say what is needed. */
'use strict'

var needed = '22.13'
var found = process.versions.node
var parts = found.split('.').map(Number)

if (parts[0] < 22 || (parts[0] === 22 && parts[1] < 13)) {
  console.error(['carillon needs Node.js', needed, 'or later; this is Node.js', found].join(' '))
  process.exit(1)
}

require('../dist/cli.cjs')
