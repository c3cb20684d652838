'use strict';
// Alibaba's published clients, unchanged, against a running ens-simulator. Needs in the environment: MODULES (a folder with
// node_modules), HTTP (host:port), TLS (host:port; its CA in NODE_EXTRA_CA_CERTS), AK, SK, TOKEN_FILE.
const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const path = require('node:path');
const test = require('node:test');

const load = createRequire(path.join(process.env.MODULES, 'anchor.js'));
const core = load('@alicloud/openapi-core');
const legacy = load('@alicloud/openapi-client');
const legacyUtil = load('@alicloud/openapi-util').default;
const teaUtil = load('@alicloud/tea-util');
const dara = load('@darabonba/typescript');
const RPCClient = load('@alicloud/pop-core').RPCClient;
const Credential = load('@alicloud/credentials');

const { HTTP, TLS, AK, SK, TOKEN_FILE } = process.env;
const ENS = '2017-11-10';
const STS = '2015-04-01';
const SMALL = 'm-sim-1';
const READER = 'acs:ram::1111111111111111:role/reader';
const PROVIDER = 'acs:ram::1111111111111111:oidc-provider/k8s';
const { OpenApiUtil, $OpenApiUtil } = core;

async function control(name, body) {
  const answer = await fetch(`http://${HTTP}/_sim/${name}`, { method: 'POST', body: JSON.stringify(body) });
  const data = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(data));
  return data.data;
}

/** Injects a fault for the time of `work`. */
async function during(fault, work) {
  await control('faults', fault);
  try {
    return await work();
  } finally {
    await control('faults/clear', { kind: fault.kind });
  }
}

function params(constructor, action, version, method) {
  return new constructor({
    action, version, method, protocol: 'HTTPS', pathname: '/', authType: 'AK', style: 'RPC', reqBodyType: 'formData',
    bodyType: 'json',
  });
}

/** The call that the generated ENS client wraps, on the current generation of the SDK core. */
async function call(action, query, { method = 'POST', version = ENS, retry, ...config } = {}) {
  const credentials = config.credential ? {} : { accessKeyId: AK, accessKeySecret: SK };
  const settings = new $OpenApiUtil.Config({ endpoint: HTTP, protocol: 'HTTP', ...credentials, ...config });
  if (retry) {
    settings.retryOptions = new dara.RetryOptions({
      retryable: true, noRetryCondition: [],
      retryCondition: [{ maxAttempts: retry, exception: ['ThrottlingError', 'ServerError'], errorCode: [],
        backoff: { policy: 'Fixed', period: 10 }, maxDelay: 1000 }],
    });
  }
  const client = new core.default(settings);
  client._endpoint = HTTP;
  const request = new $OpenApiUtil.OpenApiRequest({ query: OpenApiUtil.query(query) });
  const answer = await client.callApi(params($OpenApiUtil.Params, action, version, method), request,
    new dara.RuntimeOptions({}));
  return answer.body;
}

const list = (query, options) => call('DescribeImageSharePermission', { ImageId: SMALL, ...query }, options);
const uids = (body) => body.Accounts.Account.map((row) => row.AliyunUid);
const THREE = ['1715107400000001', '1715107400000002', '1715107400000003'];

test('openapi-core lists shares over POST and GET', async () => {
  for (const method of ['POST', 'GET']) {
    const body = await list({ PageNumber: '1', PageSize: '100' }, { method });
    assert.deepEqual(uids(body), THREE);
    assert.equal(body.TotalCount, 3);
    assert.equal(body.PageSize, 100);
  }
});

test('openapi-core reads every page', async () => {
  const seen = new Set();
  for (let page = 1; page <= 3; ++page) {
    const body = await list({ ImageId: 'm-many', PageNumber: String(page), PageSize: '100' });
    assert.equal(body.TotalCount, 250);
    uids(body).forEach((uid) => seen.add(uid));
  }
  assert.equal(seen.size, 250);
});

test('openapi-core signs what needs encoding', async () => {
  const odd = "a b+c*d'e(f)!g~h%/ü";
  await assert.rejects(list({ PageSize: odd }), { code: 'InvalidParameter.PageSize' });
});

test('openapi-core is refused with a wrong secret', async () => {
  await assert.rejects(list({}, { accessKeySecret: 'wrong' }),
    (e) => e.name === 'ClientError' && e.code === 'SignatureDoesNotMatch' && e.statusCode === 400);
});

test('openapi-core understands errors of each kind', async () => {
  await assert.rejects(list({ PageSize: '101' }), { name: 'ClientError', code: 'InvalidParameter.PageSize' });
  await assert.rejects(list({}, { accessKeyId: 'nobody' }), { code: 'InvalidAccessKeyId.NotFound', statusCode: 404 });
  await during({ kind: 'server_error' }, () => assert.rejects(list(), { name: 'ServerError', code: 'InternalError' }));
  await during({ kind: 'throttle', retry_after_ms: 1500 }, () => assert.rejects(list(),
    { name: 'ThrottlingError', code: 'Throttling.User', retryAfter: 1500 }));
  await during({ kind: 'error_body', form: 'lower_case' }, () => assert.rejects(list({ PageSize: '0' }),
    { code: 'InvalidParameter.PageSize' }));
  await during({ kind: 'html' }, () => assert.rejects(list(), { name: 'SyntaxError' }));
});

test('openapi-core retries with a fresh nonce', async () => {
  await during({ kind: 'throttle', count: 2 }, async () => {
    assert.deepEqual(uids(await list({}, { retry: 3 })), THREE);
  });
});

test('openapi-core signs the legacy way when told', async () => {
  assert.deepEqual(uids(await list({}, { signatureAlgorithm: 'v2' })), THREE);
});

test('openapi-core changes and finds images', async () => {
  await call('ModifyImageSharePermission', { ImageId: 'm-sim-2', AddAccounts: '7,8' });
  await call('ModifyImageSharePermission', { ImageId: 'm-sim-2', RemoveAccounts: '7' });
  assert.deepEqual(uids(await list({ ImageId: 'm-sim-2' })), [...THREE, '8']);
  const found = await call('DescribeSelfImages', { ImageId: 'm-many' });
  assert.equal(found.TotalCount, '1');
  assert.equal(found.Images.Image[0].ImageOwnerAlias, 'self');
});

/** The same call on the older generation of the SDK core. */
async function legacyList(config, method = 'POST') {
  const client = new legacy.default(new legacy.Config({ endpoint: HTTP, protocol: 'HTTP', accessKeyId: AK,
    accessKeySecret: SK, ...config }));
  client._endpoint = HTTP;
  const request = new legacy.OpenApiRequest({ query: legacyUtil.query({ ImageId: SMALL }) });
  const answer = await client.callApi(params(legacy.Params, 'DescribeImageSharePermission', ENS, method), request,
    new teaUtil.RuntimeOptions({}));
  return answer.body;
}

test('openapi-client lists shares over POST and GET', async () => {
  assert.deepEqual(uids(await legacyList({})), THREE);
  assert.deepEqual(uids(await legacyList({}, 'GET')), THREE);
  await assert.rejects(legacyList({ accessKeySecret: 'wrong' }), { code: 'SignatureDoesNotMatch' });
});

const pop = (apiVersion, keys = {}) => new RPCClient({ endpoint: `http://${HTTP}`, apiVersion, accessKeyId: AK,
  accessKeySecret: SK, ...keys });

test('pop-core lists shares with the legacy signature', async () => {
  for (const method of ['GET', 'POST']) {
    const body = await pop(ENS).request('DescribeImageSharePermission', { ImageId: SMALL, PageSize: '100' }, { method });
    assert.deepEqual(uids(body), THREE);
  }
  const wrong = pop(ENS, { accessKeySecret: 'wrong' });
  await assert.rejects(wrong.request('DescribeImageSharePermission', { ImageId: SMALL }, {}),
    { code: 'SignatureDoesNotMatch' });
});

test('pop-core sees a reused nonce and a skewed clock', async () => {
  const once = { ImageId: SMALL, SignatureNonce: 'the-same-twice' };
  await pop(ENS).request('DescribeImageSharePermission', { ...once }, {});
  await assert.rejects(pop(ENS).request('DescribeImageSharePermission', { ...once }, {}), { code: 'SignatureNonceUsed' });
  await during({ kind: 'clock_skew', seconds: 901 }, () => assert.rejects(
    pop(ENS).request('DescribeImageSharePermission', { ImageId: SMALL }, {}), { code: 'InvalidTimeStamp.Expired' }));
});

test('sessions of AssumeRole work, chain and are narrowed by their role', async () => {
  const role = { RoleArn: READER, RoleSessionName: 'first', DurationSeconds: 900 };
  const { Credentials: c } = await pop(STS).request('AssumeRole', role, { method: 'POST' });
  const session = { accessKeyId: c.AccessKeyId, accessKeySecret: c.AccessKeySecret, securityToken: c.SecurityToken };
  assert.deepEqual(uids(await list({}, { ...session, type: 'sts' })), THREE);
  const who = await call('GetCallerIdentity', {}, { ...session, type: 'sts', version: STS });
  assert.equal(who.IdentityType, 'AssumedRoleUser');
  assert.equal(who.AccountId, '1111111111111111');
  await assert.rejects(call('ModifyImageSharePermission', { ImageId: SMALL, AddAccounts: '9' },
    { ...session, type: 'sts' }), { code: 'NoPermission' });
  const second = await pop(STS, session).request('AssumeRole', { ...role, RoleSessionName: 'second' }, {});
  assert.match(second.Credentials.AccessKeyId, /^STS\./);
});

async function listAs(config) {
  const credential = config ? new Credential.default(new Credential.Config(config)) : new Credential.default();
  return uids(await list({}, { credential }));
}

test('credentials: role by AssumeRole over TLS', async () => {
  const config = { type: 'ram_role_arn', accessKeyId: AK, accessKeySecret: SK, roleArn: READER, roleSessionName: 'node',
    stsEndpoint: TLS };
  assert.deepEqual(await listAs(config), THREE);
  // The library says so only if the server's string to sign, as echoed in the message, is its own.
  await assert.rejects(listAs({ ...config, accessKeySecret: 'wrong' }), /the access key secret is invalid/);
  await assert.rejects(listAs({ ...config, roleArn: READER + 'x' }), /EntityNotExist.Role/);
});

test('credentials: role by OIDC token over TLS', async () => {
  const config = { type: 'oidc_role_arn', roleArn: READER, oidcProviderArn: PROVIDER, oidcTokenFilePath: TOKEN_FILE,
    roleSessionName: 'pod', stsEndpoint: TLS };
  assert.deepEqual(await listAs(config), THREE);
  await assert.rejects(listAs({ ...config, oidcTokenFilePath: '/dev/null' }), /MissingParameter/);
});

test('credentials: URI and default chain', async () => {
  const uri = `http://${HTTP}/credentials`;
  assert.deepEqual(await listAs({ type: 'credentials_uri', credentialsURI: uri }), THREE);
  process.env.ALIBABA_CLOUD_ECS_METADATA_DISABLED = 'true';
  process.env.ALIBABA_CLOUD_CREDENTIALS_URI = uri;
  assert.deepEqual(await listAs(), THREE);
  process.env.ALIBABA_CLOUD_ACCESS_KEY_ID = AK;
  process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET = SK;
  assert.deepEqual(await listAs(), THREE);
});
