// SPDX-License-Identifier: MIT
// A server of a site, and of its ways to be wrong: https.mjs KEY CERTIFICATE FOLDER prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [key, cert, folder] = process.argv.slice(2);
const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
	const [, place, ...rest] = request.url.split('/');
	if (place === 'moved') {
		response.writeHead(302, { location: `/site/${rest.join('/')}` }).end();
	} else if (place === 'plain') {
		response.writeHead(302, { location: `http://127.0.0.1:${server.address().port}/site/${rest.join('/')}` }).end();
	} else if (place === 'torn') {
		response.writeHead(200, { 'content-length': 1000 }).write('{', () => response.destroy());
	} else if (place === 'endless') {
		const more = () => response.write(Buffer.alloc(65536, ' '), (error) => error || more());
		more();
	} else if (place === 'page') {
		response.end('<!doctype html>');
	} else {
		try {
			if (place !== 'site')
				throw new Error('no such place');
			response.end(readFileSync(`${folder}/${rest.join('/')}`));
		} catch {
			response.writeHead(404).end();
		}
	}
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
