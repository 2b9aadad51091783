<?php
// PHP's own sessions: POST signs in, GET says who it is.
session_start(['read_and_close' => $_SERVER['REQUEST_METHOD'] === 'GET']);
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $_SESSION['user'] = 'alice';
}
header('Content-Type: application/json');
if (!isset($_SESSION['user'])) {
    http_response_code(401);
    exit;
}
echo json_encode(['user' => $_SESSION['user']]);
