'use strict';
// What Alibaba's published credential library makes of this process's variables and files: prints
// {"id", "secret", "token"}. Needs MODULES (a folder with node_modules) in the environment.
const { createRequire } = require('node:module');
const path = require('node:path');

const load = createRequire(path.join(process.env.MODULES, 'anchor.js'));
const Credential = load('@alicloud/credentials').default;

new Credential().getCredential().then((c) => {
  console.log(JSON.stringify({ id: c.accessKeyId, secret: c.accessKeySecret, token: c.securityToken || '' }));
}, (error) => {
  console.error(String(error));
  process.exit(1);
});
